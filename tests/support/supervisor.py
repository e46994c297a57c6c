"""What systemd is to a service: a socket that it reports to, and the hand that stops a thread."""

import ctypes
import os
import pathlib
import socket
import threading

from support.polling import eventually


class Supervisor:
    """Listens for sd_notify(3)'s messages; `environment` is what a service is started with."""

    def __init__(self, path, watchdog_seconds=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(path)}
        if watchdog_seconds:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))
        self.messages = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            text = self.socket.recv(65536).decode()
            self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))

    def said(self, key):
        return [message for message in self.messages if key in message]

    def await_said(self, key, times=1):
        return eventually(
            lambda: len(self.said(key)) >= times and self.said(key)[times - 1],
            f"{key} is said {times} times: {self.messages}",
        )

    @property
    def status(self):
        """As `systemctl status` shows it: the last one."""
        return self.said("STATUS")[-1]["STATUS"]

    def states(self):
        """The messages that change a state, in their order."""
        return [key for message in self.messages for key in message
                if key in ("READY", "RELOADING", "STOPPING")]  # fmt: skip


_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_DETACH = 0x4206, 0x4207, 17
_WALL = 0x40000000  # a thread is no child of ours (waitpid(2))
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace of {thread}")


class StoppedThread:
    """One thread of a process stands still within the `with`, all others go on, as a debugger does
    it. Signals can't: they stop a process as a whole. Without a name, the process's first one."""

    def __init__(self, pid, name=None):
        self.id = pid if name is None else next(
            int(task.name)
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            if (task / "comm").read_text().strip() == name
        )

    def __enter__(self):
        _ptrace(_PTRACE_SEIZE, self.id)
        _ptrace(_PTRACE_INTERRUPT, self.id)
        os.waitpid(self.id, _WALL)
        return self

    def __exit__(self, *_):
        _ptrace(_PTRACE_DETACH, self.id)
