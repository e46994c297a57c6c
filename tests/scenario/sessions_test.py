"""What a real sluice-agent counts as sessions, from pages, files and the kernel's flows."""

import http.server
import os
import pathlib
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.host import Host
from support.network import Network
from support.polling import always, eventually
from support.scenario import Scenario, main
from support.sip import Sip
from support.sluiced import configuration


class Page:
    """What an exporter shows at /metrics; `text` None: 503."""

    def __init__(self, text):
        self.text = text
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                octets = (outer.text or "").encode()
                found = self.path == "/metrics"
                self.send_response((200 if outer.text else 503) if found else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Counting(Scenario):
    """One server with a real agent whose counters the test chooses."""

    def start_counting(self, fields=None, **counters):
        daemon = self.start(configuration(), agents=False)
        for number in (2, 3):
            daemon.agent(number, services=["front-end", "call-park"]).push()
        self.host = Host(daemon, 1, services=("front-end",), sessions=counters, **(fields or {}))
        self.host.start_agent()
        self.addCleanup(self.end_agent)
        self.daemon = daemon
        eventually(lambda: self.front_end()["health"] == "up", "the agent pushes")

    def end_agent(self):
        self.assertEqual(self.host.stop_agent(), 0, self.host.log()[-4000:])

    def front_end(self):
        return self.daemon.api().service(self.host.name, "front-end")

    def sessions_become(self, expected):
        eventually(
            lambda: self.front_end().get("sessions") == expected,
            f"sessions become {expected}; the agent's log:\n{self.host.log()[-3000:]}",
        )

    def newest(self):
        """Seconds since the last new connection, as the API says, or None."""
        return self.front_end().get("last_new_connection")


class Sources(Counting):
    def test_a_page_a_file_and_connections_are_one_services_sessions(self):
        page = Page('# TYPE calls gauge\ncalls{leg="a"} 2\ncalls{leg="b"} 3\nother NaN\n')
        self.addCleanup(page.close)
        file = self.folder / "parked"
        file.write_text("4\n")
        self.start_counting(
            calls={"http": page.url, "metric": "calls"},
            leg_a={"http": page.url, "metric": "calls", "labels": {"leg": "a"}},
            parked={"file": str(file)},
            # Its own requests are on that port: they are nobody's sessions.
            connections={"tcp_ports": [page.port]},
        )
        self.sessions_become({"calls": 5, "leg_a": 2, "parked": 4, "connections": 0})
        socket_path = self.daemon.folder / "sluice.sock"
        done = processes.run([self.build / "sluicectl", "--socket", socket_path, "status"])
        self.assertIn("calls=5 connections=0 leg_a=2 parked=4", done.stdout, done.stderr)
        done = self.host.type("status")
        self.assertIn("5 calls, 0 connections, 2 leg_a, 4 parked", done.stdout, done.stderr)
        page.text = "calls 0\n"
        self.sessions_become(None)  # leg_a has no series: one unknown is all unknown
        page.text = 'calls{leg="a"} 0\n'
        file.write_text("0\n")
        self.sessions_become({"calls": 0, "leg_a": 0, "parked": 0, "connections": 0})

    def test_what_cannot_be_read_is_unknown_and_the_verdict_says_so(self):
        page = Page("calls 0\n")
        self.addCleanup(page.close)
        self.start_counting(calls={"http": page.url, "metric": "calls"})
        self.sessions_become({"calls": 0})
        for text in ("calls -1\n", None, "<html>\n", "calls 0.5\n"):
            page.text = text
            self.sessions_become(None)
            page.text = "calls 0\n"
            self.sessions_become({"calls": 0})
        page.text = "calls NaN\n"
        self.sessions_become(None)
        self.daemon.api().drain(self.host.name)
        verdict = self.daemon.api().verdict(self.host.name)
        self.assertIn("sessions-unknown", [each["code"] for each in verdict["reasons"]])
        self.assertIn("has -1 where a whole number should be", self.host.log())

    def test_a_file_that_nobody_writes_any_more_is_unknown(self):
        file = self.folder / "calls"
        file.write_text("0\n")
        self.start_counting(calls={"file": str(file), "max_age": "1s"})
        self.sessions_become(None)

        def written_again():
            file.write_text("0\n")
            return self.front_end()["sessions"] == {"calls": 0}

        eventually(written_again, "known while somebody writes it")
        self.sessions_become(None)

    def test_a_pipe_in_the_place_of_the_file_does_not_stop_the_agent(self):
        file = self.folder / "calls"
        self.start_counting(calls={"file": str(file)})
        os.mkfifo(file)
        self.sessions_become(None)
        always(lambda: self.front_end()["health"] == "up", "it goes on pushing", during=1.0)
        file.unlink()
        file.write_text("1\n")
        self.sessions_become({"calls": 1})

    def test_a_rise_after_the_horizon_is_a_new_connection(self):
        file = self.folder / "calls"
        file.write_text("1\n")
        self.start_counting(calls={"file": str(file)})
        self.sessions_become({"calls": 1})
        self.assertIsNone(self.newest(), "what is there at first may be old")
        self.daemon.api().drain(self.host.name, service="front-end")

        def codes():
            verdict = self.daemon.api().verdict(self.host.name, "front-end")
            return [each["code"] for each in verdict["reasons"]]

        eventually(lambda: codes() == ["sessions"], "the horizon is past")
        file.write_text("2\n")
        eventually(lambda: codes() == ["sessions", "new-connections"], "a rise tells")
        file.write_text("0\n")
        eventually(lambda: codes() == ["new-connections"], "and is not forgotten with its session")


class Flows(Counting):
    """UDP flows in a network namespace of the test's own."""

    def setUp(self):
        try:
            self.network = Network()
        except OSError as error:
            self.skipTest(str(error))
        self.addCleanup(self.network.leave)  # the last thing of all
        super().setUp()
        self.service = self.open(socket.AF_INET, "127.0.0.1", 0)
        self.port = self.service.getsockname()[1]

    def open(self, family, address, port):
        service = socket.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(service.close)
        service.bind((address, port))
        return service

    def track(self):
        if why := self.network.track():
            self.skipTest(f"this kernel does not track for us: {why}")

    def call(self, service=None, answer=True):
        service = service or self.service
        client = socket.socket(service.family, socket.SOCK_DGRAM)
        client.settimeout(20)
        self.addCleanup(client.close)
        client.sendto(b"hello", service.getsockname())
        _, caller = service.recvfrom(100)
        if answer:
            service.sendto(b"answer", caller)
            client.recv(100)

    def test_flows_that_are_answered_are_sessions(self):
        self.track()
        self.start_counting(calls={"udp_ports": [self.port]})
        self.sessions_become({"calls": 0})
        self.assertIsNone(self.newest())
        for count in (1, 2, 3):
            self.call()
            self.sessions_become({"calls": count})
        self.assertLess(self.newest(), 20)
        self.call(answer=False)
        always(
            lambda: self.front_end()["sessions"] == {"calls": 3}, "nobody answered it", during=0.6
        )
        try:
            other = self.open(socket.AF_INET6, "::1", self.port)
        except OSError:
            return  # no IPv6 here
        self.call(other)
        self.sessions_become({"calls": 4})
        self.call(self.open(socket.AF_INET, "127.0.0.1", 0))  # another port
        always(lambda: self.front_end()["sessions"] == {"calls": 4}, "not ours", during=0.6)

    def test_the_flow_of_an_own_check_is_no_session(self):
        self.track()
        sip = Sip()
        check = {"sip": f"127.0.0.1@{sip.port}", "interval": "200ms", "timeout": "200ms"}
        self.start_counting({"checks": [check]}, calls={"udp_ports": [sip.port]})
        eventually(lambda: len(sip.requests) > 2, "it checks")
        self.sessions_become({"calls": 0})
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.sendto(sip.requests[0].encode(), ("127.0.0.1", sip.port))
        self.sessions_become({"calls": 1})

    def test_without_a_rule_that_tracks_nothing_is_known(self):
        self.start_counting(calls={"udp_ports": [self.port]})
        self.call()
        eventually(
            lambda: "the kernel tracks no UDP flows of IPv4" in self.host.log()
            or "nf_conntrack_netlink" in self.host.log(),
            "the agent says why",
        )
        always(lambda: self.front_end().get("sessions") is None, "not zero", during=0.6)
        self.track()
        self.sessions_become({"calls": 0})
        self.call()
        self.sessions_become({"calls": 1})

    def test_without_the_right_to_ask_nothing_is_known_and_that_is_said_once(self):
        self.track()
        # The agent itself is without rights, its files are not.
        original = processes.start

        def start(arguments, **options):
            if "sluice-agent" in str(arguments[0]):
                arguments = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                             *arguments]  # fmt: skip
            return original(arguments, **options)

        processes.start = start
        self.addCleanup(setattr, processes, "start", original)
        self.start_counting(calls={"udp_ports": [self.port]})
        eventually(lambda: "CAP_NET_ADMIN" in self.host.log(), "the agent says what is missing")
        always(lambda: self.front_end().get("sessions") is None, "not zero", during=1.0)
        self.assertEqual(self.host.log().count("CAP_NET_ADMIN)"), 1, self.host.log())


if __name__ == "__main__":
    main()
