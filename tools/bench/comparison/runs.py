"""Asks the servers in turn and makes the tables."""

import contextlib
import json
import os
import statistics
import subprocess
import sys

from comparison import servers


class Bench:
    def __init__(self, folder, options):
        self.folder = folder
        self.options = options
        cpus = sorted(os.sched_getaffinity(0))
        first = ["chrt", "-r", "10"] if options.realtime else []
        self.on_server_cpu = [*first, "taskset", "-c", str(cpus[0])]
        self.on_load_cpu = [*first, "taskset", "-c", str(cpus[-1])]
        self.cpus = cpus
        kinds = [servers.Sluice, *servers.PEERS]
        self.servers = [kind(folder, options.build, self.on_server_cpu) for kind in kinds]

    def start(self):
        for server in self.servers:
            print(f"compare: starting {server.name}", file=sys.stderr)
            server.start()

    def stop(self):
        for server in self.servers:
            server.stop()

    def ask(self, server, case, *more, seconds=None):
        """One run of the generator: its figures, and the CPU that the server spent an answer."""
        questions = self.folder / f"{case.name}.questions"
        questions.write_text("\n".join(case.questions) + "\n")
        command = [*self.on_load_cpu, self.options.build / "bench_load", f"127.0.0.1@{server.port}"]
        command += ["--questions", questions, "--json", *case.options, *more]
        command += ["--seconds", seconds or self.options.seconds]
        before = server.cpu()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"compare: {server.name}, {case.text}: {done.stdout}{done.stderr}")
        figures = json.loads(done.stdout)
        figures["cpu_ns"] = (server.cpu() - before) / figures["answered"]
        return figures

    @contextlib.contextmanager
    def echo_of(self, server, case):
        answers = self.folder / f"{server.name}-{case.name}.answers"
        self.ask(server, case, "--save-answers", answers, seconds=0.2)
        echo = servers.Echo(self.folder, self.options.build, self.on_server_cpu, answers)
        echo.start()
        try:
            yield echo
        finally:
            echo.stop()

    def table(self, cases, transport):
        make = {"udp": self.udp_row, "tcp": self.tcp_row, "half load": self.loss_row}[transport]
        title = {
            "udp": "UDP: CPU ns an answer (ratio to the echo of the same octets), thousand answers/s",
            "tcp": "TCP: CPU ns an answer, thousand answers/s",
            "half load": "UDP at half load beside two busy loops: lost of asked",
        }[transport]
        names = [server.name for server in self.servers]
        lines = [f"| {title} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for case in cases:
            print(f"compare: {case.text}", file=sys.stderr)
            lines.append(f"| {case.text} | " + " | ".join(make(case)) + " |")
        return "\n".join(lines)

    def rounds(self):
        """Who goes first changes: what the machine warms up to favours nobody."""
        for number in range(self.options.rounds):
            start = number % len(self.servers)
            yield self.servers[start:] + self.servers[:start]

    def udp_row(self, case):
        results = {server.name: [] for server in self.servers}
        with contextlib.ExitStack() as stack:
            echoes = {
                server.name: stack.enter_context(self.echo_of(server, case))
                for server in self.servers
            }
            for order in self.rounds():
                for server in order:
                    own = self.ask(server, case)
                    echo = self.ask(echoes[server.name], case)
                    results[server.name].append((own, echo))
        return [self.udp_cell(results[server.name]) for server in self.servers]

    @staticmethod
    def udp_cell(pairs):
        cost = statistics.median(own["cpu_ns"] for own, _ in pairs)
        ratio = statistics.median(own["cpu_ns"] / echo["cpu_ns"] for own, echo in pairs)
        rate = statistics.median(own["answers_per_second"] for own, _ in pairs)
        return f"{cost:.0f} ({ratio:.2f}) {rate / 1e3:.0f}"

    def tcp_row(self, case):
        results = {server.name: [] for server in self.servers}
        for order in self.rounds():
            for server in order:
                results[server.name].append(self.ask(server, case))
        return [
            f"{statistics.median(one['cpu_ns'] for one in ones):.0f}"
            f" {statistics.median(one['answers_per_second'] for one in ones) / 1e3:.0f}"
            for ones in (results[server.name] for server in self.servers)
        ]

    def loss_row(self, case):
        cells = []
        for server in self.servers:
            full = self.ask(server, case)["answers_per_second"]
            with busy(self.cpus):
                half = self.ask(server, case, "--rate", full / 2, seconds=3 * self.options.seconds)
            cells.append(f"{half['lost'] + half['late']} of {half['sent']}")
        return cells


@contextlib.contextmanager
def busy(cpus):
    """A loop on each CPU that wants all of it."""
    loops = [
        subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"])
        for cpu in cpus
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
