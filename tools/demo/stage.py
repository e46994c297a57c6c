"""The demo's stage: its folder, its configurations, its processes, and their end."""

import ctypes
import hashlib
import json
import pathlib
import secrets
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
POOL = "pool01.contoso.example"
ADDRESSES = {"fe01": "127.0.1.1", "fe02": "127.0.1.2", "fe03": "127.0.1.3"}
# The ports that the host's service console is used to.
PORTS = {
    "front-end": 5060, "response-group": 5071, "attendant": 5072,
    "conferencing-announcement": 5073, "announcement": 5074, "call-park": 5075,
}  # fmt: skip
DNS_PORT, API_PORT = 5353, 8053
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A step did not show what it should; the text says which and what was seen."""


def is_free(address, port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # As servers do: what a connection of an earlier run left behind is no obstacle.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def first_free_offset(places):
    """The least number of thousands to add to every port so that all places are free."""
    for offset in range(0, 50_000, 1000):
        if all(is_free(address, port + offset) for address, port in places):
            return offset
    raise Failed("no free ports on the loopback addresses")


def wait_until(condition, what, within=30.0):
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {within:.0f} s: {what}")
        time.sleep(0.1)


class Stage:
    """Starts everything on entry; on exit ends every process that it started, and removes its
    folder."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
        self.dns_port = DNS_PORT + first_free_offset([("127.0.0.1", DNS_PORT)])
        self.api_port = API_PORT + first_free_offset([("127.0.0.1", API_PORT)])
        offset = first_free_offset(
            [(address, port) for address in ADDRESSES.values() for port in PORTS.values()]
        )
        self.ports = {service: port + offset for service, port in PORTS.items()}
        self.socket = self.folder / "sluice.sock"
        self._children = {}

    def __enter__(self):
        try:
            self._start_all()
        except BaseException:
            self._end_all()
            raise
        return self

    def __exit__(self, *_):
        self._end_all()

    def _start_all(self):
        tokens = {name: secrets.token_hex(16) for name in ADDRESSES}
        self._write_authority(tokens)
        self.start("sluiced", self.build / "sluiced", "--config", self.folder / "sluice.yaml")
        wait_until(
            lambda: self._running("sluiced") and "ready" in self.log("sluiced"), "sluiced is ready"
        )
        for name in ADDRESSES:
            self.start_server(name)
        for name in ADDRESSES:
            wait_until(lambda pid=self.pid_file(name): pid.exists(), f"{name} listens")
            self._write_agent(name, tokens[name])
            self.start(
                f"agent-{name}", self.build / "sluice-agent", "run", "--config",
                self.folder / f"{name}.yaml",
            )  # fmt: skip
        names = [f"{service}@{port}" for service, port in self.ports.items()]
        self.start("clients", HERE / "clients", self.dns_port, POOL, *names)

    def _write_authority(self, tokens):
        text = string.Template((HERE / "sluice.yaml").read_text()).substitute(
            dns_port=self.dns_port, api_port=self.api_port, port_front_end=self.ports["front-end"],
            **{
                f"sha256_{name}": hashlib.sha256(token.encode()).hexdigest()
                for name, token in tokens.items()
            },
        )  # fmt: skip
        (self.folder / "sluice.yaml").write_text(text)

    def _write_agent(self, name, token):
        """JSON is YAML. Each service's health is whether its port accepts, its sessions are the
        connections to the server's own address: all three servers share this machine's kernel."""
        token_file = self.folder / f"{name}.token"
        token_file.touch(mode=0o600)
        token_file.write_text(token + "\n")
        services = {
            service: {
                "pid_file": str(self.pid_file(name)),
                "checks": [
                    {"tcp": f"{ADDRESSES[name]}@{port}", "interval": "1s", "timeout": "500ms",
                     "rise": 1, "fall": 2}
                ],
                "sessions": {
                    "connections": {
                        "command": [str(HERE / "sessions"), ADDRESSES[name], str(port)]
                    }
                },
            }
            for service, port in self.ports.items()
        }  # fmt: skip
        agent = {
            "authorities": [f"http://127.0.0.1:{self.api_port}"],
            "token_file": token_file.name,
            "server": f"{name}.{POOL}",
            "state": f"state-{name}",
            "socket": {"path": f"{name}.sock", "mode": "0600"},
            "heartbeat": "1s",
            "services": services,
        }
        (self.folder / f"{name}.yaml").write_text(json.dumps(agent, indent=2))

    def start(self, name, *command):
        def die_with_parent():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        with open(self.folder / f"{name}.log", "a", encoding="utf-8") as log:
            self._children[name] = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent,
                # Ctrl-C is for the demo alone, which then ends them in order.
                start_new_session=True,
            )  # fmt: skip

    def start_server(self, name):
        places = [f"{ADDRESSES[name]}@{port}" for port in self.ports.values()]
        self.start(name, HERE / "server", self.pid_file(name), *places)

    def pid_file(self, name):
        return self.folder / f"{name}.pid"

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def _running(self, name):
        status = self._children[name].poll()
        if status is not None:
            raise Failed(f"{name} ended with {status}:\n{self.log(name)}")
        return True

    def look_after(self):
        """Whoever has ended: a demo server is started again, as systemd would; others may not."""
        for name in list(self._children):
            if name in ADDRESSES and self._children[name].poll() is not None:
                print(f"   ({name} ended; it is started again: a new instance)", flush=True)
                self.start_server(name)
            self._running(name)

    def _end_all(self):
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
