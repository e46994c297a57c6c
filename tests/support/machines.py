"""Machines of a test's own on a network of its own: namespaces with addresses, ports below 1024 and
their own /etc, /run, /root and /var/lib. Needs root; nothing of it is left behind."""

import os
import secrets

from support import processes
from support.polling import eventually


def command(*words, **options):
    done = processes.run(words, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def are_possible():
    """Whether this kernel and this user may make namespaces with all that is needed."""
    if os.geteuid() != 0:
        return False
    probe = "mount -t tmpfs none /run && mkdir /run/u /run/w && mount -t overlay none -o " \
        "lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc && ip link add name v type veth peer name w " \
        "&& ip link add name b type bridge"  # fmt: skip
    return processes.run(["unshare", "-n", "-m", "sh", "-ec", probe]).returncode == 0


# Of a machine: takes the dead away, as an init does.
FIRST_PROCESS = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); signal.pause()"


class Lan:
    """A switch."""

    def __init__(self):
        self.name = f"sluice-{secrets.token_hex(3)}"
        self.machines = {}
        command("ip", "netns", "add", self.name)
        command("ip", "-n", self.name, "link", "add", "name", "switch", "type", "bridge")
        command("ip", "-n", self.name, "link", "set", "switch", "up")

    def end(self):
        for machine in self.machines.values():
            machine.end()
        processes.run(["ip", "netns", "del", self.name])

    def add(self, name, address, folder):
        self.machines[name] = Machine(self, name, address, folder)
        return self.machines[name]


class Machine:
    # What a machine writes to is its own; below it lies the real one's, unchanged.
    OWN = ("/etc", "/root", "/var/lib")

    def __init__(self, lan, name, address, folder):
        self.name, self.address = name, address
        self.namespace = f"{lan.name}-{name}"
        folder.mkdir()
        command("ip", "netns", "add", self.namespace)
        number = len(lan.machines)
        command("ip", "-n", lan.name, "link", "add", "name", f"port{number}", "type", "veth",
                "peer", "name", "eth0", "netns", self.namespace)  # fmt: skip
        command("ip", "-n", lan.name, "link", "set", f"port{number}", "master", "switch", "up")
        for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                      ["addr", "add", f"{address}/24", "dev", "eth0"]):  # fmt: skip
            command("ip", "-n", self.namespace, *words)
        # The real /proc stays in sight, so that one machine can reach another.
        self.all_processes = f"{folder}/proc"
        before = (
            f"mount -t tmpfs tmpfs {folder}\nmkdir {folder}/proc\n"
            f"mount --rbind /proc {folder}/proc\n"
            'exec unshare --mount --pid --fork --kill-child --mount-proc sh -ec "$0"'
        )
        setup = ""
        for at, path in enumerate(self.OWN):
            own = f"{folder}/{at}"
            setup += (
                f"mkdir -p {own}/upper {own}/work\nmount -t overlay overlay "
                f"-o lowerdir={path},upperdir={own}/upper,workdir={own}/work {path}\n"
            )
        setup += f"mount -t tmpfs tmpfs /run\ntouch {folder}/up\nexec python3 -c '{FIRST_PROCESS}'"
        # Its first process: when this ends, by the test's end at the latest, all others do.
        self.keeper = processes.start(
            ["ip", "netns", "exec", self.namespace, "unshare", "--mount", "sh", "-ec", before, setup]
        )
        eventually(lambda: self._first() and self.run(f"test -e {folder}/up").returncode == 0,
                   f"{name} is up")  # fmt: skip

    def _first(self):
        """The process that has the machine's namespaces: a child of ours."""
        children = f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children"
        with open(children, encoding="ascii") as file:
            words = file.read().split()
        return words[0] if words else None

    def inside(self):
        return ["nsenter", "-t", self._first(), "-m", "-n", "-p"]

    def inside_from(self, other):
        """The same, typed on another machine; its processes are not to be seen from there."""
        spaces = f"{other.all_processes}/{self._first()}/ns"
        return ["nsenter", f"--mount={spaces}/mnt", f"--net={spaces}/net"]

    def run(self, script, **options):
        return processes.run([*self.inside(), "bash", "-c", script], **options)

    def start(self, *words, **options):
        return processes.start([*self.inside(), *words], **options)

    def end(self):
        self.keeper.kill()
        self.keeper.wait()
        processes.run(["ip", "netns", "del", self.namespace])
