"""The agent's checks over the network, each against a server that speaks the protocol: what passes,
what fails and with which words, and that none of them keeps the heartbeats waiting."""

import http.server
import pathlib
import socket
import ssl
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.host import Host
from support.polling import eventually
from support.scenario import Scenario, main
from support.sip import Sip

QUICK = {"interval": "200ms", "timeout": "200ms", "rise": 1, "fall": 1}


class Web(http.server.ThreadingHTTPServer):
    """Answers each GET with `status`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.status, self.answered = 200, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.server.answered += self.server.status == 204

    def log_message(self, *_):
        pass


class Checks(Scenario):
    def check(self, **check):
        """Server 1's front-end has this check and no other source of health."""
        self.daemon = self.start(agents=False)
        for number in (2, 3):
            self.daemon.agent(number, services=["front-end", "call-park"]).push()
        self.host = Host(
            self.daemon, 1, services=["front-end"], pid_file=None, checks=[{**QUICK, **check}]
        )
        self.host.start_agent()
        self.addCleanup(self.end_agent)

    def end_agent(self):
        self.host.refuse()
        self.assertEqual(self.host.stop_agent(), 0, self.host.log()[-4000:])

    def becomes(self, health, said=None):
        def holds():
            if self.daemon.api().service(self.host.name, "front-end").get("health") != health:
                return False
            result = self.host.status()["services"]["front-end"]["checks"][0]["last_result"]
            return said is None or said in result

        eventually(holds, f"{health}, {said}; the agent:\n{self.host.log()[-3000:]}")

    def test_http_passes_on_any_2xx(self):
        web = Web()
        self.check(http=f"http://127.0.0.1:{web.server_port}/health")
        self.becomes("up")
        web.status = 204
        eventually(lambda: web.answered > 3, "asked on")
        self.becomes("up", "passed")
        web.status = 503
        self.becomes("down", "answered 503")
        web.status = 302
        self.becomes("down", "answered 302")
        web.status = 200
        self.becomes("up", "passed")

    def test_http_passes_on_the_statuses_that_are_named(self):
        web = Web()
        web.status = 401
        self.check(http=f"http://127.0.0.1:{web.server_port}/", status=[401, 403])
        self.becomes("up")
        web.status = 200
        self.becomes("down", "answered 200")

    def certificate(self):
        """For front.example.org, signed by itself; its file, and a context that shows it."""
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        made = processes.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=front.example.org",
            "-addext", "subjectAltName=DNS:front.example.org", "-keyout", key, "-out", certificate,
        ])  # fmt: skip
        self.assertEqual(made.returncode, 0, made.stderr)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return certificate, context

    def test_https_is_judged_by_the_name_that_is_given(self):
        certificate, context = self.certificate()
        web = Web()
        web.socket = context.wrap_socket(web.socket, server_side=True)
        url = {"http": f"https://127.0.0.1:{web.server_port}/", "ca": str(certificate)}
        limits = {"timeout": "2s", "interval": "2s"}
        self.check(**url, name="front.example.org", **limits)
        self.becomes("up")
        self.host.service_fields["checks"] = [{**QUICK, **url, **limits}]  # the address has none
        self.assertEqual(self.host.stop_agent(), 0)
        self.host.start_agent()
        self.becomes("down", "127.0.0.1")

    def tls_server(self):
        """A port that shows the certificate."""
        certificate, context = self.certificate()
        listener = socket.create_server(("127.0.0.1", 0))
        self.open = 0

        def serve():
            while True:
                connection, _ = listener.accept()
                try:
                    with context.wrap_socket(connection, server_side=True) as peer:
                        self.open += 1
                        peer.recv(1)
                        self.open -= 1
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], certificate

    def test_tls_passes_when_the_handshake_is_through_and_hangs_up(self):
        port, _ = self.tls_server()
        self.check(tls=f"127.0.0.1@{port}", timeout="2s", interval="2s")
        self.becomes("up")
        eventually(lambda: self.open == 0, "the connection is closed before the next check")

    def test_tls_with_a_ca_judges_certificate_and_name(self):
        port, certificate = self.tls_server()
        trust = {"tls": f"127.0.0.1@{port}", "ca": str(certificate)}
        limits = {"timeout": "2s", "interval": "2s"}
        self.check(**trust, name="front.example.org", **limits)
        self.becomes("up")
        self.host.service_fields["checks"] = [{**QUICK, **trust, **limits, "name": "other.example"}]
        self.assertEqual(self.host.stop_agent(), 0)
        self.host.start_agent()
        self.becomes("down", "other.example")

    def test_tls_of_a_peer_that_says_nothing_is_down_and_blocks_nothing(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.check(tls=f"127.0.0.1@{listener.getsockname()[1]}")
        self.becomes("down", "timed out")
        self.host.sessions(5)
        eventually(
            lambda: self.daemon.api().service(self.host.name, "front-end")["sessions"]
            == {"connections": 5},
            "heartbeats go on",
        )

    def test_sip_over_udp(self):
        sip = Sip()
        self.check(sip=f"127.0.0.1@{sip.port}")
        self.becomes("up")
        sip.status = "503 Service Unavailable"
        self.becomes("down", "answered 503 Service Unavailable")
        self.assertTrue(sip.requests[0].startswith(f"OPTIONS sip:127.0.0.1:{sip.port} SIP/2.0"))
        eventually(lambda: len(sip.requests) >= 3, "it is asked on")
        branches = [request.split("branch=")[1].split(";")[0] for request in sip.requests[:3]]
        self.assertEqual(len(set(branches)), 3, "each question has a name of its own")
        ports = [request.split("Via: ")[1].split(";")[0] for request in sip.requests[:3]]
        self.assertEqual(len(set(ports)), 1, "and all come from one port: one flow for the kernel")

    def test_sip_over_udp_asks_again_when_the_network_loses(self):
        sip = Sip()
        sip.losses = 2
        self.check(sip=f"127.0.0.1@{sip.port}", interval="10s", timeout="10s")
        self.becomes("up")
        self.assertEqual(len(sip.requests), 1)

    def test_sip_over_udp_when_nobody_listens(self):
        sip = Sip()
        gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
        gone.close()
        self.check(sip=f"127.0.0.1@{port}", timeout="10s", interval="10s")
        self.becomes("down", "refused")
        self.assertEqual(sip.requests, [])

    def test_sip_over_tcp(self):
        sip = Sip()
        self.check(sip=f"127.0.0.1@{sip.port}", transport="tcp", status=[200, 404])
        self.becomes("up")
        sip.status = "404 Not Found"
        eventually(lambda: "404" in sip.status and len(sip.requests) > 3, "it is asked on")
        self.becomes("up", "passed")
        sip.status = "500 Broken"
        self.becomes("down", "answered 500 Broken")
        self.assertIn("Via: SIP/2.0/TCP ", sip.requests[0])


if __name__ == "__main__":
    main()
