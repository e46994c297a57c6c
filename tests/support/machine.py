"""A machine of one's own for a test that installs and starts services: systemd as the first process
of new namespaces, over an overlay of this machine's root. Its network is a loopback of its own."""

import pathlib
import shutil
import tempfile
import uuid

from support import processes
from support.polling import eventually


def why_not():
    """Why no machine can be had here; None: it can. (A container may have no right to mount.)"""
    tried = processes.run(
        ["unshare", "--mount", "--pid", "--fork", "--net", "--cgroup", "mount", "-t", "tmpfs",
         "probe", "/mnt"],
    )  # fmt: skip
    if tried.returncode != 0:
        return tried.stderr.strip()
    if not _cgroup2():
        return "no cgroup2 is mounted"
    try:
        _new_group().rmdir()
    except OSError as error:
        return str(error)
    return None


class Machine:
    """Boots on construction; `shared` is its /mnt."""

    def __init__(self, shared):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-machine-"))
        self.group = _new_group()
        self.log_file = tempfile.TemporaryFile()
        boot = pathlib.Path(__file__).with_name("boot")
        self.outside = processes.start(
            ["sh", "-c", 'echo 0 > "$1/cgroup.procs"; shift; exec "$@"', "sh", self.group,
             "unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc",
             "--cgroup", boot, self.folder, shared],
            stdout=self.log_file, stderr=self.log_file,
        )  # fmt: skip
        try:
            self.first = eventually(self._first_process, "the machine has a first process")
            eventually(self._is_up, f"the machine is up: {self.log()}")
        except (AssertionError, RuntimeError):
            self.end()
            raise

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read().decode(errors="replace")[-2000:]

    def _first_process(self):
        if self.outside.poll() is not None:
            raise RuntimeError(f"the machine does not boot: {self.log()}")
        pid = self.outside.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _is_up(self):
        if self.outside.poll() is not None:
            raise RuntimeError(f"the machine does not boot: {self.log()}")
        return self.run("systemctl", "is-active", "machine.target").stdout == "active\n"

    def run(self, *words, timeout=60):
        return processes.run(self._inside(words), timeout=timeout)

    def start(self, *words, **options):
        """As subprocess.Popen, and does not wait."""
        return processes.start(self._inside(words), **options)

    def _inside(self, words):
        return ["nsenter", "-t", self.first, "-a", "--root", "--wd", "env", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *words]  # fmt: skip

    def shell(self, script, **options):
        return self.run("sh", "-ec", script, **options)

    def end(self):
        self.outside.kill()
        self.outside.wait()
        eventually(self._group_is_empty, "the machine's processes are gone")
        for group in sorted(self.group.rglob("*/"), reverse=True):
            group.rmdir()
        self.group.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log_file.close()

    def _group_is_empty(self):
        events = (self.group / "cgroup.events").read_text()
        return "populated 0" in events


def _new_group():
    group = _cgroup2() / f"sluice-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    return group


def _cgroup2():
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    return None
