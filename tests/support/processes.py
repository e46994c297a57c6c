"""Child processes that cannot outlive the test."""

import atexit
import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None)
_children = []


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(arguments, limits=None, **options):
    """A child that the kernel kills when the test's process ends, however that ends. `limits` runs
    in the child before the program does."""

    def prepare():
        _die_with_parent()
        if limits:
            limits()

    child = subprocess.Popen(
        [str(argument) for argument in arguments],
        preexec_fn=prepare, **{"stdin": subprocess.DEVNULL, **options},
    )  # fmt: skip
    _children.append(child)
    return child


def adopt_orphans():
    """Children of a child that ends are this process's from now on."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


class Adopted:
    """A child of a child that has ended, after adopt_orphans() or in the first process of a
    namespace: what subprocess.Popen is to a child of our own, as far as tests need it."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None
        _children.append(self)

    def poll(self):
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # its parent is still there
                return None
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=60):
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run(arguments, timeout=60, **options):
    """Runs to the end; standard output and error are captured as text."""
    return subprocess.run(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        **options,
    )  # fmt: skip


@atexit.register
def end_all():
    for child in _children:
        if child.poll() is None:
            child.kill()
            child.wait()
