"""A real etcd of a test's own: one member, or a cluster of three, each in a namespace if need be."""

import json
import os
import pathlib
import signal
import subprocess

from support import ports, processes
from support.polling import eventually

# What a test writes need not survive a power cut.
OPTIONS = ("--unsafe-no-fsync", "--logger", "zap", "--log-level", "warn")


class Etcd:
    """One member; `peers` are all of its cluster, itself included (a list that the cluster fills).

    `prefix` comes before each command that has to do with it: ["ip", "netns", "exec", NAME]. Its
    address must exist there by start(), and ports are free there because nobody else is."""

    def __init__(self, folder, name="etcd1", address="127.0.0.1", prefix=(), options=OPTIONS):
        self.name, self.address, self.prefix = name, address, list(prefix)
        self.options = list(options)
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        self.client_port, self.peer_port = ports.free_port(), ports.free_port()
        self.peers = [self]
        self.process = None
        self._log = None

    @property
    def endpoint(self):
        return f"http://{self.address}:{self.client_port}"

    @property
    def peer_url(self):
        return f"http://{self.address}:{self.peer_port}"

    @property
    def endpoints(self):
        return [self.endpoint]

    def launch(self):
        """Starts it, with the data that it had, and does not wait."""
        self._log = open(self.folder / "log", "ab")
        self.process = processes.start(
            [*self.prefix, "etcd", "--name", self.name, "--data-dir", self.folder / "data",
             "--listen-client-urls", self.endpoint, "--advertise-client-urls", self.endpoint,
             "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
             "--initial-cluster", ",".join(f"{p.name}={p.peer_url}" for p in self.peers),
             *self.options],
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def start(self):
        self.launch()
        self.wait_healthy()
        return self

    def wait_healthy(self):
        """Until it answers with the word of a majority."""

        def healthy():
            assert self.process.poll() is None, f"{self.name} ended: {self.log()[-2000:]}"
            return self.ask("endpoint", "health").returncode == 0

        eventually(healthy, f"{self.name} is healthy", within=60)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def ask(self, *words, timeout=20):
        """`etcdctl WORDS` at this member, as it is."""
        return processes.run(
            [*self.prefix, "etcdctl", "--endpoints", self.endpoint, *words], timeout=timeout,
            env={**os.environ, "ETCDCTL_API": "3"},
        )  # fmt: skip

    def control(self, *words):
        """The output of `etcdctl WORDS`, which must succeed."""
        done = self.ask(*words)
        assert done.returncode == 0, f"etcdctl {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def status(self):
        """{"header", "leader", "raftTerm", ...}, or None of a member that does not answer."""
        done = self.ask("endpoint", "status", "--write-out", "json", "--command-timeout", "2s")
        answers = json.loads(done.stdout or "null") if done.returncode == 0 else None
        return answers[0]["Status"] if answers else None

    def is_leader(self):
        status = self.status()
        return bool(status) and status["leader"] == status["header"]["member_id"]

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """In order."""
        self._end(signal.SIGTERM)

    def kill(self):
        """-9"""
        self._end(signal.SIGKILL)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number):
        if self.is_running():
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)  # it may be paused
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._log:
            self._log.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class EtcdCluster:
    """Three members, or as many as there are addresses. `prefixes`: one for each."""

    def __init__(self, folder, addresses=("127.0.0.1",) * 3, prefixes=None, options=OPTIONS):
        prefixes = prefixes or [()] * len(addresses)
        self.members = [
            Etcd(folder, f"etcd{number}", address, prefix, options)
            for number, (address, prefix) in enumerate(zip(addresses, prefixes), 1)
        ]
        for member in self.members:
            member.peers = self.members

    @property
    def endpoints(self):
        return [member.endpoint for member in self.members]

    def start(self):
        for member in self.members:
            member.launch()
        for member in self.members:
            member.wait_healthy()
        return self

    def leader(self):
        """The member that leads; waits until there is one among those that run."""
        running = [member for member in self.members if member.is_running()]
        return eventually(
            lambda: next((member for member in running if member.is_leader()), None),
            "somebody leads", within=60,
        )  # fmt: skip

    def followers(self):
        leader = self.leader()
        return [member for member in self.members if member is not leader]

    def control(self, *words):
        """By the first member that runs."""
        return next(member for member in self.members if member.is_running()).control(*words)

    def stop(self):
        for member in self.members:
            member.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
