"""A machine of the test's own: networks, processes and resolv.conf that nobody else sees.

What is shown here needs ports that everybody knows (a resolver on 53, SIP on 5060 at each address)
and programs that read /etc/resolv.conf. In namespaces of our own all of 127/8 is free, and whatever
becomes of the test, the kernel ends every process of it with its first one."""

import os
import pathlib
import signal
import subprocess
import sys

from support import network

_INSIDE = "SLUICE_REAL_CALLS_INSIDE"
# What tests/scenario/CMakeLists.txt takes for "did not run".
SKIPPED = 77


def enter():
    """Starts this script again inside, unless it is there already."""
    if os.environ.get(_INSIDE) != "1":
        os.environ[_INSIDE] = "1"
        rights = [] if os.geteuid() == 0 else ["--map-root-user"]
        unshare = ["unshare", *rights, "--net", "--mount", "--pid", "--fork", "--kill-child",
                   "--mount-proc"]  # fmt: skip
        tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            print(f"skipped, may not have namespaces here: {tried.stderr.strip()}")
            sys.exit(SKIPPED)
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])
    # The first process of a namespace gets no signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    network.loopback_up()


def use_resolver(folder, address):
    """All programs that start from now on ask the resolver at `address`, port 53."""
    file = pathlib.Path(folder) / "resolv.conf"
    file.write_text(f"nameserver {address}\noptions timeout:2 attempts:3\n", encoding="utf-8")
    subprocess.run(["mount", "--bind", file, "/etc/resolv.conf"], check=True)
