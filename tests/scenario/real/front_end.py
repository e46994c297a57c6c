"""A server of the pool: sipp takes its calls, a real sluice-agent watches it."""

import json
import pathlib

from real.sip import HERE, Answering
from support import processes
from support.sluiced import agent_token, server_name

PORTS = {"front-end": 5060, "call-park": 5070}
# Twice in the second in which sipp writes its count.
HEARTBEAT = 0.5


def address(number):
    return f"127.1.0.{number}"


class FrontEnd:
    def __init__(self, daemon, number, counts=True):
        """`counts`: the agent is told how many calls there are; otherwise always none."""
        self.daemon, self.number, self.name = daemon, number, server_name(number)
        self.label = self.name.split(".", maxsplit=1)[0]
        self.folder = pathlib.Path(daemon.folder).parent / self.label
        self.services = {
            service: Answering(self.folder / service, address(number), port)
            for service, port in PORTS.items()
        }
        self.start()
        self._start_agent(counts)

    def start(self):
        for service in self.services.values():
            service.start()

    def stop(self):
        for service in self.services.values():
            service.kill()

    def restart(self):
        self.stop()
        self.start()

    def calls(self, service="front-end"):
        return self.services[service].calls()

    def open_calls(self, service="front-end"):
        return [call for call in self.calls(service).values() if call.open]

    def last_invite(self, service="front-end", only=""):
        """Of the calls whose id begins so."""
        invites = [c.invite for c in self.calls(service).values() if c.id.startswith(only)]
        return max(filter(None, invites), default=0.0)

    def _start_agent(self, counts):
        token = self.folder / "token"
        token.write_text(agent_token(self.number) + "\n", encoding="utf-8")
        token.chmod(0o600)
        # What is counted is calls in progress: connections would say little, since a proxy keeps
        # one for many calls and keeps it after the last.
        services = {
            name: {
                "pid_file": str(sip.pid_file),
                "checks": [{"tcp": f"{sip.address}@{sip.port}", "interval": "500ms",
                            "timeout": "500ms", "rise": 1, "fall": 3}],
                "sessions": {"calls": {"command": _counter(sip) if counts else ["/bin/echo", "0"]}},
            }
            for name, sip in self.services.items()
        }  # fmt: skip
        config = {
            "authorities": [f"http://127.0.0.1:{self.daemon.api_port}"],
            "token_file": "token",
            "server": self.name,
            "state": "state",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "heartbeat": f"{int(HEARTBEAT * 1000)}ms",
            "services": services,
        }
        file = self.folder / "agent.yaml"
        file.write_text(json.dumps(config, indent=2), encoding="utf-8")
        with open(self.folder / "agent.log", "w", encoding="utf-8") as log:
            processes.start(
                [self.daemon.build / "sluice-agent", "run", "--config", file],
                stdout=log, stderr=log,
            )  # fmt: skip


def _counter(sip):
    return [str(HERE / "calls_in_progress"), str(sip.statistics)]


class ServiceManager:
    """Restarts a server when a command asks for it; the command returns when that is done. `cut`
    counts the calls that were in progress then."""

    def __init__(self, folder, front_ends):
        self.folder = folder
        self.folder.mkdir()
        self.front_ends = {front_end.name: front_end for front_end in front_ends}
        self.restarted, self.cut = [], 0

    @property
    def command(self):
        asked, done = f"{self.folder}/asked-$SLUICE_SERVER", f"{self.folder}/done-$SLUICE_SERVER"
        return f'touch "{asked}"; until [ -e "{done}" ]; do sleep 0.1; done; rm "{done}"'

    def turn(self):
        """Does what was asked for. Not from a thread of its own: what it starts would end with it
        (support/processes.py)."""
        for asked in self.folder.glob("asked-*"):
            name = asked.name.removeprefix("asked-")
            front_end = self.front_ends[name]
            self.cut += sum(len(front_end.open_calls(service)) for service in PORTS)
            front_end.restart()
            self.restarted.append(name)
            asked.unlink()
            (self.folder / f"done-{name}").touch()
