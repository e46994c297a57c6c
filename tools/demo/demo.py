#!/usr/bin/env python3
"""Shows a first drain, end to end, with real programs and real questions. Called by tools/run.

    demo.py BUILD [--once]

Every step says what it does, runs the command lines that an operator would type, and checks what
they show; the first that does not show what it should ends the demo with 1.
"""

import datetime
import http.client
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stage import ADDRESSES, POOL, Failed, Stage, wait_until

OTHER_FEATURES = ["attendant", "conferencing-announcement", "response-group", "announcement"]
SRV = f"_sip._tcp.{POOL}"
CALL_PARK = f"call-park.{POOL}"
READY_REFUSED = 3  # what `sluicectl ready` exits with when it is not safe
# A session of the demo's clients lasts up to 16 s and the caches 6 s: a minute is a failure.
DRAINED_WITHIN = "60s"


class Authority:
    """Looks behind the scene, by the API on the unix socket."""

    def __init__(self, stage):
        self._path = str(stage.socket)

    def server(self, name):
        connection = http.client.HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(self._path)
        connection.request("GET", f"/v1/servers/{name}.{POOL}")
        reply = connection.getresponse().read()
        connection.close()
        return json.loads(reply)

    def sessions(self, name):
        """All sessions of a server, or None when any service's are not known."""
        total = 0
        for service in self.server(name)["services"].values():
            counters = service.get("sessions")
            if counters is None:
                return None
            total += sum(counters.values())
        return total

    def calls(self, name):
        """The sessions of the service that clients use most."""
        return sum(self.server(name)["services"]["front-end"]["sessions"].values())

    def horizon(self, name):
        """When no cache names the server any more."""
        return max(
            datetime.datetime.fromisoformat(service["cache_horizon"])
            for service in self.server(name)["services"].values()
        )


class Countdown(threading.Thread):
    """Reads a server's sessions while another thread waits for its drain."""

    def __init__(self, authority, name):
        super().__init__(daemon=True)
        self._authority, self._name, self._over = authority, name, threading.Event()
        self.seen = []

    def run(self):
        while not self._over.wait(0.2):
            self._look()

    def _look(self):
        count = self._authority.sessions(self._name)
        if not self.seen or self.seen[-1] != count:
            self.seen.append(count)

    def stop(self):
        self._over.set()
        self.join()
        self._look()  # what the other thread's wait ended with
        return self.seen


class Demo:
    def __init__(self, stage):
        self.stage = stage
        self.authority = Authority(stage)
        self.environment = os.environ | {
            "SLUICE_SOCKET": str(stage.socket),
            "PATH": f"{stage.build}:{os.environ['PATH']}",
        }
        for name in ("SLUICE_API", "SLUICE_TOKEN_FILE"):
            self.environment.pop(name, None)

    def say(self, text):
        print(f"\n== {text}", flush=True)

    def run(self, command, expected=0):
        """Shows a command line and what it prints; returns that."""
        print(f"$ {command}", flush=True)
        child = subprocess.Popen(
            shlex.split(command), env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        lines = []
        for line in child.stdout:
            print(f"  {line}", end="", flush=True)
            lines.append(line)
        status = child.wait()
        if status != expected:
            raise Failed(f"`{command}` exited {status}, not {expected}")
        return "".join(lines)

    def dig(self, name, qtype, expected, quietly=False):
        """Asks, and checks that exactly these servers are named."""
        command = f"dig @127.0.0.1 -p {self.stage.dns_port} {name} {qtype} +short"
        if quietly:
            said = subprocess.run(
                shlex.split(command), capture_output=True, text=True, check=True
            ).stdout
        else:
            said = self.run(command)
        if qtype == "A":
            named = {server for server, address in ADDRESSES.items() if address in said.split()}
        else:
            named = {server for server in ADDRESSES if f"{server}.{POOL}." in said}
        if named != set(expected) or len(said.splitlines()) != len(expected):
            raise Failed(f"{name} {qtype} names {sorted(named)}, not {sorted(expected)}")

    def ask_all(self, pool, call_park):
        """The pool, its SRV name and a feature are shown; the other features are asked quietly."""
        self.dig(POOL, "A", pool)
        self.dig(SRV, "SRV", pool)
        self.dig(CALL_PARK, "A", call_park)
        for feature in OTHER_FEATURES:
            self.dig(f"{feature}.{POOL}", "A", pool, quietly=True)
        print(f"  ({', '.join(OTHER_FEATURES)}: {', '.join(sorted(pool))})", flush=True)

    def settle(self):
        """Agents have spoken for every service, and the clients talk to every server."""
        for name in ADDRESSES:
            wait_until(
                lambda n=name: all(
                    service["status"] == "accepting"
                    for service in self.authority.server(n)["services"].values()
                ),
                f"{name} accepts for all its services",
            )
            wait_until(
                lambda n=name: self.authority.sessions(n) and self.authority.calls(n),
                f"all sessions of {name} are known, and some talk to its front-end",
            )

    def before(self):
        self.say("before: three servers answer for the pool, an SRV name and a feature")
        print(f"$ export SLUICE_SOCKET={self.stage.socket} PATH={self.stage.build}:$PATH")
        self.ask_all(ADDRESSES, ADDRESSES)
        self.run("sluicectl status")

    def drain_server(self):
        self.say("drain fe02: it leaves every answer before the command returns")
        self.run("sluicectl drain fe02 --reason patch")
        self.dig(POOL, "A", ["fe01", "fe03"])

    def not_safe_yet(self):
        self.say("not safe yet: its sessions stay until they end, caches may still name it")
        left = self.authority.sessions("fe02")
        said = self.run("sluicectl ready fe02", READY_REFUSED)
        if not left:
            raise Failed(f"fe02 should have sessions just after its drain, it has {left}")
        if "connections" not in said:
            raise Failed("`sluicectl ready` does not name the sessions")
        if "caches clear" not in said:
            raise Failed("`sluicectl ready` does not name the caches, which hold fe02 for a TTL")

    # After not_safe_yet(): that must be asked before a slow machine's caches have forgotten fe02.
    def rerouted(self):
        self.say("every other name that follows its services is rerouted, too")
        self.ask_all(["fe01", "fe03"], ["fe01", "fe03"])

    def count_down(self):
        self.say("wait: sessions end one by one, then the verdict is safe")
        countdown = Countdown(self.authority, "fe02")
        countdown.start()
        try:
            self.run(f"sluicectl wait fe02 --for drained --timeout {DRAINED_WITHIN}")
        finally:
            seen = countdown.stop()
        if self.authority.horizon("fe02") > datetime.datetime.now(datetime.timezone.utc):
            raise Failed("fe02 was called drained while caches may still name it")
        print(f"  sessions of fe02 meanwhile: {' '.join(map(str, seen))}")
        if not seen or seen[-1] != 0 or len(seen) < 3:
            raise Failed(f"the sessions of fe02 did not count down to zero: {seen}")
        self.run("sluicectl ready fe02")
        self.dig(POOL, "A", ["fe01", "fe03"])

    def resume_server(self):
        self.say("resume fe02: it is in the answers again")
        self.run("sluicectl resume fe02")
        self.ask_all(ADDRESSES, ADDRESSES)
        wait_until(lambda: self.authority.sessions("fe02"), "clients come back to fe02")

    def drain_service(self):
        self.say("drain one service: only its feature is rerouted")
        self.run("sluicectl drain fe03 --service call-park")
        self.ask_all(ADDRESSES, ["fe01", "fe02"])
        self.run("sluicectl services fe03")
        self.run("sluicectl resume fe03 --service call-park")
        self.ask_all(ADDRESSES, ADDRESSES)

    def show(self):
        self.settle()
        self.before()
        self.drain_server()
        self.not_safe_yet()
        self.rerouted()
        self.count_down()
        self.resume_server()
        self.drain_service()

    def stay(self):
        """Runs on until Ctrl-C."""
        folder = self.stage.folder
        self.say("it stays up until Ctrl-C; in another terminal")
        print(
            f"export SLUICE_SOCKET={self.stage.socket} PATH={self.stage.build}:$PATH\n"
            f"watch -n 1 dig @127.0.0.1 -p {self.stage.dns_port} {POOL} A +short\n"
            "sluicectl drain fe01 --startup manual --wait\n"
            f"kill $(cat {folder}/fe01.pid)      # a restart of the server: it stays held\n"
            "sluicectl status; sluicectl resume fe01\n"
            f"sluice-agent pause call-park --config {folder}/fe02.yaml   # as the host's own\n"
            f"ls {folder}                        # configurations and logs",
            flush=True,
        )
        while True:
            self.stage.look_after()
            time.sleep(1)


class Interrupted(Exception):
    pass


def interrupt(*_):
    # Once: what follows is the end, in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted


def main(arguments):
    if not arguments or arguments[1:] not in ([], ["--once"]):
        print("usage: demo.py BUILD [--once]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    started = time.monotonic()
    shown = False
    try:
        with Stage(arguments[0]) as stage:
            demo = Demo(stage)
            demo.show()
            shown = True
            if "--once" not in arguments:
                demo.stay()
    except Failed as failure:
        print(f"\ntools/run: failed: {failure}", flush=True)
        return 1
    except Interrupted:
        print("\ntools/run: ended, everything it started is gone", flush=True)
        return 0 if shown else 130
    print(f"\ntools/run: every step showed what it should ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
