"""TLS on the API, by curl, openssl and Python's ssl: what is spoken, who is let in, what a reload
takes over, and what many handshakes cost the others."""

import contextlib
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.api import FakeAgent
from support.certificates import Authority
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, READER, SERVICES, configuration, server_name

CLIENT_HELLOS = 600  # more than have a place


class Tls(Scenario):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.home = self.folder / "authority-of-pools"
        self.home.mkdir()
        self.authority.server(self.home)

    def start_tls(self, clients=None, tokens=()):
        config = configuration()
        tls = {"certificate": "api.crt", "key": "api.key"}
        if clients:
            tls |= {"client_ca": str(self.authority.file), "client_certificates": clients}
        config["api"]["tls"] = tls
        config["api"]["tokens"] += tokens
        return self.start(config, folder=self.home.name, agents=False)

    def secure(self, daemon, *certified, token=None):
        return daemon.api(token=token, tls=self.authority.trusted(*certified))

    def curl(self, daemon, *options, path="/v1/pools"):
        """(curl's exit status, HTTP status)"""
        command = ["curl", "-sS", "-m", "20", "--cacert", self.authority.file, "-o", "/dev/null"]
        command += ["-w", "%{http_code}", *options, f"https://localhost:{daemon.api_port}{path}"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
        return done.returncode, int(done.stdout or 0)

    def s_client(self, daemon, *options):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.api_port}"]
        command += ["-CAfile", self.authority.file, *options]
        done = subprocess.run(
            list(map(str, command)), input="", capture_output=True, text=True, timeout=60
        )
        return done.stdout + done.stderr

    def metric(self, daemon, name):
        page = daemon.local_api().call("GET", "/metrics").text
        return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)[1])

    def check(self, daemon):
        daemon.write_config()
        command = [self.build / "sluiced", "--check", "--config", daemon.file]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)

    # --- what is spoken

    def test_speaks_good_versions_and_ciphers_alone(self):
        daemon = self.start_tls()
        self.assertRegex(daemon.log(), r"api listening on 127.0.0.1@\d+ \(https\)")
        for options, expected in (
            (["-tls1_3"], "TLSv1.3"),
            (["-tls1_2"], "TLSv1.2"),
            (["-tls1_2", "-cipher", "ECDHE+CHACHA20"], "CHACHA20-POLY1305"),
        ):
            said = self.s_client(daemon, *options, "-alpn", "h2,http/1.1")
            self.assertIn("Verification: OK", said)
            self.assertIn("ALPN protocol: http/1.1", said)
            self.assertRegex(said, rf"New, TLSv1\.[23], Cipher is \S+")
            self.assertIn(expected, said)
            self.assertIn("Compression: NONE", said)
        for options in (
            ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
            ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
            ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
            ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
            ["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
            ["-tls1_3", "-alpn", "h2"],
        ):
            self.assertIn("Cipher is (NONE)", self.s_client(daemon, *options), options)

    def test_answers_as_without(self):
        daemon = self.start_tls()
        token = ["-H", f"Authorization: Bearer {OPERATOR}"]
        self.assertEqual(self.curl(daemon), (0, 401))
        self.assertEqual(self.curl(daemon, *token), (0, 200))
        self.assertEqual(self.curl(daemon, *token, "--http2"), (0, 200))
        api = self.secure(daemon, token=OPERATOR)
        for number in range(1, 4):
            agent = FakeAgent(
                self.secure(daemon, token=f"fe{number:02}-token"), server_name(number), SERVICES
            )
            agent.push()
        api.drain(server_name(1))
        self.assert_members(daemon, [2, 3])
        # Events come by it, too.
        with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=20) as raw:
            with self.authority.trusted().wrap_socket(raw, server_hostname="localhost") as stream:
                request = f"GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {READER}"
                stream.sendall(request.encode() + b"\r\n\r\n")
                text = ""
                # What happens before the stream has begun is not in it.
                while "id: " not in text:
                    text += stream.recv(65536).decode()
                api.resume(server_name(1))
                while "event: lift" not in text and "event: resume" not in text:
                    came = stream.recv(65536).decode()
                    self.assertTrue(came, text)
                    text += came
        # The local socket is as it was.
        self.assertEqual(daemon.local_api().get("/v1/pools")["pools"][0]["pool"], "pool01.contoso.example")

    def test_tells_who_forgets_tls(self):
        daemon = self.start_tls()
        done = subprocess.run(
            ["curl", "-sS", "-m", "20", f"http://127.0.0.1:{daemon.api_port}/healthz"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertIn("https://", done.stdout)

    # --- who is let in

    def test_clients_show_certificates(self):
        tokens = [
            {"name": "ops-cert", "role": "operator", "certificate": "Ops.Example"},
            {"name": "fe02-cert", "role": "agent", "server": server_name(2), "certificate": "fe02@x"},
        ]
        daemon = self.start_tls("required", tokens)
        ops = self.authority.certify("ops", "DNS:ops.example")
        nobody = self.authority.certify("nobody", "DNS:nobody.example")
        agent = self.authority.certify("agent", "email:fe02@x")
        other = Authority(self.folder, "another").certify("ops", "DNS:ops.example")
        expired = self.authority.certify("late", "DNS:ops.example", begin=-20, end=-10)

        def shown(certified):
            return ["--cert", certified[0], "--key", certified[1]]

        self.assertEqual(self.curl(daemon, *shown(ops)), (0, 200))
        self.assertEqual(self.curl(daemon, *shown(nobody)), (0, 401))
        self.assertEqual(self.curl(daemon, *shown(agent)), (0, 403))
        for refused in ([], shown(other), shown(expired)):
            status, code = self.curl(daemon, *refused)
            self.assertNotEqual(status, 0, refused)
            self.assertEqual(code, 0, refused)
        pushed = FakeAgent(self.secure(daemon, *agent), server_name(2), SERVICES)
        pushed.push()
        self.assertEqual(pushed.try_push().status, 200)
        self.assertEqual(self.metric(daemon, 'sluice_api_tls_handshakes_total{result="client_certificate"}'), 3)
        self.secure(daemon, *ops).drain(server_name(2))
        holds = daemon.local_api().service(server_name(2), "front-end")["holds"]
        self.assertEqual([hold["by"] for hold in holds], ["ops-cert"])
        self.assertEqual(daemon.stop(), 0)
        self.assertRegex(daemon.log(), r"failed to authenticate")

    def test_optional_certificates(self):
        tokens = [{"name": "ops-cert", "role": "operator", "certificate": "spiffe://x/ops"}]
        daemon = self.start_tls("optional", tokens)
        ops = self.authority.certify("ops", "URI:spiffe://x/ops")
        stranger = Authority(self.folder, "another").certify("ops", "URI:spiffe://x/ops")
        token = ["-H", f"Authorization: Bearer {READER}"]
        self.assertEqual(self.curl(daemon), (0, 401))
        self.assertEqual(self.curl(daemon, *token), (0, 200))
        self.assertEqual(self.curl(daemon, "--cert", ops[0], "--key", ops[1]), (0, 200))
        self.assertNotEqual(self.curl(daemon, "--cert", stranger[0], "--key", stranger[1])[0], 0)
        # The entry goes, and with it what its certificate was good for.
        api = self.secure(daemon, *ops)
        self.assertEqual(api.call("GET", "/v1/pools").status, 200)
        daemon.config["api"]["tokens"].pop()
        daemon.write_config()
        self.assertEqual(daemon.local_api().call("POST", "/v1/reload").status, 200)
        self.assertEqual(api.call("GET", "/v1/pools").status, 401)

    def test_sessions_are_resumed(self):
        tokens = [{"name": "ops-cert", "role": "operator", "certificate": "ops.example"}]
        daemon = self.start_tls("required", tokens)
        ops = self.authority.certify("ops", "DNS:ops.example")
        said = self.s_client(daemon, "-reconnect", "-tls1_2", "-cert", ops[0], "-key", ops[1])
        self.assertEqual(said.count("Reused, TLSv1.2"), 5, said)
        context = self.authority.trusted(*ops)

        def ask(session):
            with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=20) as raw:
                stream = context.wrap_socket(raw, server_hostname="localhost", session=session)
                stream.sendall(b"GET /v1/pools HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b"200 OK", stream.recv(65536))
                result = stream.session, stream.session_reused, stream.version()
                stream.unwrap().close()  # a session that was cut is not resumed
                return result

        session, reused, version = ask(None)
        self.assertEqual((reused, version), (False, "TLSv1.3"))
        session, reused, _ = ask(session)
        self.assertTrue(reused)
        # Another authority of clients: its certificates are asked for anew.
        second = Authority(self.folder, "second")
        both = self.folder / "both.crt"
        both.write_text(self.authority.file.read_text() + second.file.read_text())
        daemon.config["api"]["tls"]["client_ca"] = str(both)
        daemon.write_config()
        self.assertEqual(daemon.local_api().call("POST", "/v1/reload").status, 200)
        self.assertFalse(ask(session)[1])

    # --- reload

    def test_reload_takes_certificates_without_a_cut(self):
        daemon = self.start_tls()
        api = self.secure(daemon, token=OPERATOR)
        api.get("/v1/pools")
        connection = api._connection.sock

        def serial():
            said = ssl.get_server_certificate(("127.0.0.1", daemon.api_port))
            return hash(said)

        first = serial()
        self.authority.server(self.home)
        self.assertEqual(serial(), first)
        daemon.hang_up()
        eventually(lambda: serial() != first, "the new certificate is shown")
        api.get("/v1/pools")
        self.assertIs(api._connection.sock, connection, "the connection was cut")
        # What is wrong leaves what is there.
        second = serial()
        (self.home / "api.key").write_text("no key")
        reply = daemon.local_api().call("POST", "/v1/reload")
        self.assertIn("api.tls.key", reply.text)
        self.assertEqual(serial(), second)
        self.assertIn("has no key in PEM", daemon.log())
        del daemon.config["api"]["tls"]
        daemon.write_config()
        self.assertIn("needs a restart", daemon.local_api().call("POST", "/v1/reload").text)
        api.get("/v1/pools")
        self.assertIs(api._connection.sock, connection, "the connection was cut")

    def test_check_finds_what_is_wrong(self):
        daemon = self.start_tls()
        self.assertEqual(self.check(daemon).returncode, 0)
        self.authority.server(self.home, end=3)
        os.chmod(self.home / "api.key", 0o644)
        done = self.check(daemon)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"warning: .*sluice.yaml:\d+: api.tls.certificate: .* expires at ")
        self.assertRegex(done.stderr, r"warning: .*sluice.yaml:\d+: api.tls.key: .* every user")
        (self.home / "api.crt").unlink()
        done = self.check(daemon)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"sluice.yaml:\d+: api.tls.certificate: can't be read: No such file")

    # --- many handshakes

    def hello(self):
        """The octets of a ClientHello."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.authority.trusted().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()

    def api_cpu(self, daemon):
        """Seconds that the thread "api" has run."""
        for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "api":
                return int((task / "schedstat").read_text().split()[0]) / 1e9
        raise AssertionError("no thread api")

    def test_silent_clients_cost_nothing(self):
        daemon = self.start_tls()
        silent = [
            socket.create_connection(("127.0.0.1", daemon.api_port), timeout=20) for _ in range(200)
        ]
        self.secure(daemon, token=OPERATOR).get("/v1/pools")
        before = self.api_cpu(daemon)
        time.sleep(1)  # what is measured is a time in which nothing happens
        # Who waits for them by asking again and again spends all of it.
        self.assertLess(self.api_cpu(daemon) - before, 0.4 if self.sanitized else 0.1)
        self.assertEqual(self.metric(daemon, "sluice_api_tls_handshakes_in_flight"), 0)
        for connection in silent:
            connection.close()

    def test_stalled_handshakes_give_way(self):
        daemon = self.start_tls()
        hello = self.hello()  # made once: the first ones would be timed out before the last come
        for _ in range(CLIENT_HELLOS):
            stalled = socket.create_connection(("127.0.0.1", daemon.api_port), timeout=20)
            self.addCleanup(stalled.close)
            stalled.sendall(hello)
        self.assertLessEqual(self.metric(daemon, "sluice_api_tls_handshakes_in_flight"), 512)
        self.secure(daemon, token=OPERATOR).get("/v1/pools")
        gave_way = 'sluice_api_tls_handshakes_total{result="gave_way"}'
        self.assertGreater(self.metric(daemon, gave_way), 0)


if __name__ == "__main__":
    main()
