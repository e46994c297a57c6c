"""A network namespace of a test's own: its loopback, its firewall, nobody else's flows."""

import ctypes
import fcntl
import os
import shutil
import socket
import struct

from support import processes

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
RULES = """table inet test {
  chain input {
    type filter hook input priority 0
    ct state established accept
  }
}"""
_libc = ctypes.CDLL(None, use_errno=True)


def loopback_up():
    """Of the namespace that this thread is in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
        (flags,) = struct.unpack_from("h", answer, 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def enter(space):
    """This thread is in that namespace, a descriptor, from now on."""
    if _libc.setns(space, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "a network namespace cannot be entered: " + os.strerror(error))


class Network:
    """Entered by the thread that makes it, with all children that it starts from then on. Raises
    OSError where that is not allowed."""

    def __init__(self):
        self.former = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if _libc.unshare(CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            os.close(self.former)
            raise OSError(error, "a network namespace cannot be made: " + os.strerror(error))
        loopback_up()

    def leave(self):
        enter(self.former)
        os.close(self.former)

    @staticmethod
    def track():
        """Has the firewall need the tracking of connections. Returns why this kernel or machine
        does not, or None."""
        nft = shutil.which("nft", path=SBIN)
        if not nft:
            return "nft is not installed"
        done = processes.run([nft, RULES], timeout=20)
        if done.returncode == 0:
            return None
        if "Operation not supported" in done.stderr or "No such file" in done.stderr:
            return done.stderr.strip()
        raise AssertionError(done.stderr)
