"""Child processes that cannot outlive the test."""

import atexit
import ctypes
import signal
import subprocess

PR_SET_PDEATHSIG = 1
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
        stdin=subprocess.DEVNULL, preexec_fn=prepare, **options,
    )  # fmt: skip
    _children.append(child)
    return child


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
