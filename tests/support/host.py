"""A server of the pool as its administrator has it: a service with a process, and a real agent."""

import json
import pathlib
import socket

from support import processes
from support.polling import eventually
from support.sluiced import agent_token, server_name


class Host:
    """One service process that accepts connections, watched by a real sluice-agent."""

    def __init__(
        self, daemon, number, services=("front-end", "call-park"), environment=None,
        agent_fields=None, **service_fields,
    ):  # fmt: skip
        """`service_fields` join the configuration of each service; None takes a field out."""
        self.daemon, self.number, self.name = daemon, number, server_name(number)
        self.folder = pathlib.Path(daemon.folder) / f"host{number}"
        self.folder.mkdir(exist_ok=True)
        self.services, self.service_fields = services, service_fields
        self.agent_fields, self.environment = agent_fields or {}, environment
        self.sessions_file = self.folder / "sessions"
        self.sessions(0)
        self.listener = None
        self.service = None
        self.agent = None
        self.port = None
        self.listen()
        self.start_service()

    def listen(self):
        """The kernel accepts for us: what a check by TCP wants to see."""
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port or 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]

    def refuse(self):
        """From now on its checks fail."""
        self.listener.close()

    def start_service(self):
        """A process for the pid file; when there is one already this is a restart."""
        if self.service:
            self.service.kill()
            self.service.wait()
        self.service = processes.start(["sleep", "3600"])
        fresh = self.folder / "pid.new"
        fresh.write_text(f"{self.service.pid}\n")
        fresh.rename(self.folder / "pid")

    def stop_service(self):
        self.service.kill()
        self.service.wait()

    def sessions(self, count):
        fresh = pathlib.Path(f"{self.sessions_file}.new")
        fresh.write_text(f"{count}\n")
        fresh.rename(self.sessions_file)

    @property
    def config_file(self):
        return self.folder / "agent.yaml"

    def write_config(self):
        token = self.folder / "token"
        token.write_text(agent_token(self.number) + "\n")
        token.chmod(0o600)
        service = {
            "pid_file": str(self.folder / "pid"),
            "checks": [
                {"tcp": f"127.0.0.1@{self.port}", "interval": "200ms", "timeout": "200ms",
                 "rise": 1, "fall": 2}
            ],
            "sessions": {"connections": {"command": ["/bin/cat", str(self.sessions_file)]}},
            **self.service_fields,
        }  # fmt: skip
        service = {key: value for key, value in service.items() if value is not None}
        config = {
            "authorities": [f"http://127.0.0.1:{self.daemon.api_port}"],
            "token_file": "token",
            "server": self.name,
            "state": "state",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "heartbeat": "200ms",
            "services": {name: service for name in self.services},
            **self.agent_fields,
        }
        self.config_file.write_text(json.dumps(config, indent=2))

    def start_agent(self, **options):
        self.write_config()
        with open(self.folder / "agent.log", "a", encoding="utf-8") as log:
            self.agent = processes.start(
                [self.daemon.build / "sluice-agent", "run", "--config", self.config_file],
                stdout=log, stderr=log, **{"env": self.environment, **options},
            )  # fmt: skip
        eventually((self.folder / "agent.sock").exists, f"the agent listens: {self.log()}")

    def log(self):
        return (self.folder / "agent.log").read_text(encoding="utf-8", errors="replace")

    def stop_agent(self):
        """SIGTERM; returns the exit status."""
        self.agent.terminate()
        return self.agent.wait(timeout=20)

    def kill_agent(self):
        self.agent.kill()
        self.agent.wait()

    def type(self, *words, environment=None):
        """What the host's administrator types: `sluice-agent WORDS --config FILE`."""
        return processes.run(
            [self.daemon.build / "sluice-agent", *words, "--config", self.config_file],
            timeout=30, env=environment,
        )

    def status(self):
        return json.loads(self.type("status", "--json").stdout)
