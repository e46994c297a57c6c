"""A systemd of the test's own on a bus of its own: the real one as init of namespaces where the
machine lets it run, or the one of fake_systemd.py."""

import os
import pathlib
import subprocess
import uuid

from support import processes
from support.polling import eventually

# Runs as the first process of its namespaces, before systemd takes its place. Nothing of the
# machine's own /run, /tmp and /var is seen, so that nothing of it is touched; /bus is the folder
# through which the test reaches the bus.
PREPARE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/bus /mnt/units
mount --bind "$1/bus" /mnt/bus
mount --bind "$1/units" /mnt/units
shift
number=0
for folder; do mkdir /mnt/$((++number)); mount --bind "$folder" /mnt/$number; done
for folder in /run /tmp /var/tmp /var/log /var/lib/systemd; do mount -t tmpfs tmpfs $folder; done
mount -t proc proc /proc
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
number=0
for folder; do mkdir -p "$folder"; mount --bind /mnt/$((++number)) "$folder"; done
mkdir -p /run/dbus /run/systemd/system /run/lock
mount --bind /mnt/bus /run/dbus
cp -P /mnt/units/* /run/systemd/system/
exec env -i container=sluice-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=sluice-test.target --log-target=console --show-status=no
"""

UNITS = {
    # Only what the test asks for: none of the machine's own units is started. systemd looks for its
    # bus by these names.
    "sluice-test.target": "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket dbus.service\n",
    "dbus.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": """[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation
""",
}


def cgroup_root():
    """Where the unified hierarchy is mounted, or None."""
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    return None


class Bus:
    """Who can be asked on the bus at `address`."""

    address = None

    @property
    def environment(self):
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}

    def call(self, *words):
        return subprocess.run(
            ["busctl", "--system", *words], env=self.environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def manager(self, method, *arguments):
        done = self.call(
            "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", method, *arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def order(self, method, unit):
        """StartUnit, StopUnit, RestartUnit, ReloadUnit: queued, not waited for."""
        self.manager(method, "ss", unit, "replace")

    def kill_unit(self, unit):
        """SIGKILL for its main process: it fails."""
        self.manager("KillUnit", "ssi", unit, "main", "9")

    def unit_property(self, unit, name):
        octets = (c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in unit)
        path = "/org/freedesktop/systemd1/unit/" + "".join(octets)
        done = self.call(
            "get-property", "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Unit", name
        )
        return done.stdout.split(maxsplit=1)[-1].strip().strip('"')

    def answers(self):
        return self.call(
            "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", "Subscribe",
        ).returncode == 0  # fmt: skip


class FakeSystemd(Bus):
    """fake_systemd.py on a dbus-daemon of its own."""

    what = "a fake manager on a private bus"

    def __init__(self, folder, units, longest_delay=5):
        self.folder = pathlib.Path(folder) / f"bus-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir()
        self.address = f"unix:path={self.folder}/bus"
        self.units, self.longest_delay = list(units), longest_delay
        # Who may own which name is the machine's policy on its own bus; here everybody may.
        (self.folder / "bus.conf").write_text(
            f"""<busconfig><type>system</type><listen>{self.address}</listen>
            <policy context="default"><allow own="*"/><allow send_destination="*"/>
            <allow receive_sender="*"/></policy></busconfig>"""
        )
        self.bus = self.manager_process = None
        self.start_bus()
        self.start_manager()

    def start_bus(self):
        self.bus = processes.start(
            ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={self.folder}/bus.conf"],
            stderr=subprocess.DEVNULL,  # that it may not raise its limit of descriptors
        )
        eventually((self.folder / "bus").exists, "the bus listens")

    def start_manager(self, preparing=False):
        """`preparing`: a shutdown is under way."""
        fake = pathlib.Path(__file__).with_name("fake_systemd.py")
        self.manager_process = processes.start(
            ["/usr/bin/python3", fake, *self.units],
            env={**self.environment, "LONGEST_DELAY": str(self.longest_delay),
                 "PREPARING": "1" if preparing else ""},
        )
        eventually(self.answers, "the fake manager answers")

    def logind(self, method, *arguments):
        done = self.call(
            "call", "org.freedesktop.login1", "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager", method, *arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def close(self):
        for process in (self.manager_process, self.bus):
            process.kill()
            process.wait()
        (self.folder / "bus").unlink(missing_ok=True)  # or the next bus seems to be there already


class RealSystemd(Bus):
    """The real systemd; `units` are unit files by name. Stopped by close()."""

    what = "the real systemd in namespaces"

    def __init__(self, folder, units, shared=(), aliases=None):
        """`shared`: folders that its units see as the test does; all of /tmp is hidden otherwise.
        `aliases`: other names of units."""
        self.folder = pathlib.Path(folder) / f"systemd-{uuid.uuid4().hex[:8]}"
        (self.folder / "bus").mkdir(parents=True)
        (self.folder / "units").mkdir()
        for name, text in {**UNITS, **units}.items():
            (self.folder / "units" / name).write_text(text)
        for alias, name in (aliases or {}).items():
            (self.folder / "units" / alias).symlink_to(name)
        self.log = self.folder / "log"
        root = cgroup_root()
        if root is None:
            raise OSError("no unified control group hierarchy is mounted")
        self.cgroup = root / f"sluice-test-{uuid.uuid4().hex[:8]}"
        self.cgroup.mkdir()
        self.address = f"unix:path={self.folder}/bus/system_bus_socket"
        enter = f"echo $$ > {self.cgroup}/cgroup.procs; exec unshare --fork --kill-child --pid " \
                f"--mount --cgroup --ipc --uts bash -c '{PREPARE}' prepare {self.folder} " + " ".join(map(str, shared))
        with open(self.log, "w", encoding="utf-8") as log:
            self.outer = processes.start(["bash", "-c", enter], stdout=log, stderr=log)
        try:
            eventually(lambda: self.ended() or self.answers(), "systemd answers on its bus")
        except AssertionError as late:
            self.close()
            raise OSError(str(late)) from late
        if self.ended():
            self.close()
            raise OSError(f"systemd does not start here: {self.log.read_text()[-500:]}")

    def ended(self):
        return self.outer.poll() is not None

    def close(self):
        if not self.ended():
            # unshare --kill-child: systemd goes with it, and all of its namespace with systemd.
            self.outer.kill()
        self.outer.wait()
        eventually(self.remove_cgroup, "the control group is empty", 20)

    def remove_cgroup(self):
        for path in sorted(self.cgroup.rglob("*"), reverse=True):
            if path.is_dir():
                try:
                    path.rmdir()
                except OSError:
                    return False
        try:
            self.cgroup.rmdir()
        except OSError:
            return False
        return True


def any_systemd(folder, units, aliases=None):
    """The real one, else the fake; `units` and `aliases` as for RealSystemd."""
    try:
        return RealSystemd(folder, units, aliases=aliases)
    except OSError as why:
        print(f"units: the real systemd cannot be started here ({why})")
        return FakeSystemd(folder, units)
