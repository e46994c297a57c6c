"""Agents and sluicectl over TLS: how they know an authority and show who they are, with certificates
that `sluicectl pki` made. What a real sluiced would hide (whether a session was resumed, which
certificate was shown) is seen by an authority of the test's own."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.pki import Pki
from support.polling import eventually
from support.wall_clock import WallClock

BUILD = pathlib.Path()
NS1 = "ns1.pool01.contoso.example"
FE01 = "fe01.pool01.contoso.example"
DAY = 86_400


class Authority:
    """Takes heartbeats and questions over TLS, and keeps how each came."""

    def __init__(self, context):
        self.context = context
        self.lock = threading.Lock()
        self.serials, self.resumed, self.versions, self.tokens = [], [], [], []
        self.sessions = []  # what was pushed of the first service
        self.connections, self.open = 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                # Within the connection's own thread: a handshake that hangs holds up nobody.
                self.request = outer.context.wrap_socket(self.request, server_side=True)
                super().setup()
                with outer.lock:
                    outer.connections += 1
                    outer.open.append(self.request)
                    outer.resumed.append(self.request.session_reused)
                    outer.versions.append(self.request.version())

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                shown = self.connection.getpeercert()
                with outer.lock:
                    outer.serials.append(shown["serialNumber"].lower() if shown else None)
                    outer.tokens.append(self.headers.get("Authorization"))
                services = json.loads(body).get("services", {}) if body else {}
                with outer.lock:
                    outer.sessions += [each.get("sessions") for each in services.values()][:1]
                reply = {"generation": 17, "lease": 3.0, "pools": [], "orphans": [],
                         "services": {name: {"held": False} for name in services}}  # fmt: skip
                octets = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            do_PUT = do_GET = answer

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, client_address):
                pass  # handshakes that fail are what some tests are about

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def drop_connections(self):
        with self.lock:
            dropped, self.open = self.open, []
        for each in dropped:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.drop_connections()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def last_serial(self):
        with self.lock:
            return self.serials[-1] if self.serials else None


class TlsScenario(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.pki = Pki(BUILD, self.folder)
        self.pki.make("server", NS1, "127.0.0.1")
        self.serial = self.pki.make("agent", FE01)[0]["serial"]
        self.agent = None

    def authority(self, name=NS1, **trust):
        made = Authority(self.pki.server_context(name, **trust))
        self.addCleanup(made.close)
        return made

    # The agent.

    @property
    def files(self):
        return {"certificate": self.folder / "agent.pem", "key": self.folder / "agent.key"}

    def put(self, pki=None):
        (pki or self.pki).put("agent", FE01, *self.files.values())

    def start_agent(self, *urls, token=False, certificate=True, ca=True, environment=None, sessions=None):
        tls = {}
        if certificate:
            self.put()
            tls.update({name: str(path) for name, path in self.files.items()})
        if ca:
            shutil.copyfile(self.pki.ca, self.folder / "ca.pem")
            tls["ca"] = "ca.pem"
        service = {"checks": [{"command": ["/bin/true"], "interval": "1s"}]}
        service["sessions"] = sessions or {}
        config = {
            "authorities": list(urls),
            "server": FE01, "state": "state", "heartbeat": "1s",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "services": {"front-end": service},
        }  # fmt: skip
        if tls:
            config["tls"] = tls
        if token:
            config["token_file"] = "token"
            (self.folder / "token").write_text("t0\n")
        (self.folder / "agent.yaml").write_text(json.dumps(config))
        with open(self.folder / "agent.log", "ab") as log:
            self.agent = processes.start(
                [BUILD / "sluice-agent", "run", "--config", self.folder / "agent.yaml"],
                stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        self.addCleanup(self.stop_agent)
        eventually((self.folder / "agent.sock").exists, f"the agent listens\n{self.log()}")

    def stop_agent(self):
        if self.agent.poll() is None:
            self.agent.terminate()
        self.assertEqual(self.agent.wait(timeout=30), 0, self.log())

    def log(self):
        return (self.folder / "agent.log").read_text(errors="replace")

    def status(self):
        return processes.run(
            [BUILD / "sluice-agent", "status", "--config", self.folder / "agent.yaml"]
        ).stdout

    def shows(self, *texts):
        for text in texts:
            eventually(lambda text=text: text in self.status(), f"status says {text!r}\n{self.log()}")

    # sluicectl.

    def ctl(self, *words, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        return processes.run([BUILD / "sluicectl", *words], env={**clean, **environment})

    def check(self, exit_code, *words, err=(), **environment):
        done = self.ctl(*words, **environment)
        said = f"{words}\nstdout:\n{done.stdout}\nstderr:\n{done.stderr}"
        self.assertEqual(done.returncode, exit_code, said)
        for text in [err] if isinstance(err, str) else err:
            self.assertIn(text, " ".join(done.stderr.split()), said)
        return done


class AgentTest(TlsScenario):
    def test_a_certificate_is_enough_and_the_connection_is_kept(self):
        authority = self.authority(client_ca=self.pki.ca)
        self.start_agent(authority.url)
        eventually(lambda: len(authority.serials) >= 5, "heartbeats arrive")
        self.assertEqual(set(authority.serials), {self.serial})
        self.assertEqual(set(authority.tokens), {None})
        self.assertEqual(authority.connections, 1)
        self.assertIn(authority.versions[0], ("TLSv1.2", "TLSv1.3"))
        self.shows(f"{authority.url} answers", f"certificate {self.files['certificate']}, valid until")

    def test_a_token_with_ca_is_enough(self):
        authority = self.authority()
        self.start_agent(authority.url, token=True, certificate=False)
        eventually(lambda: authority.tokens, "heartbeats arrive")
        self.assertEqual(authority.tokens[0], "Bearer t0")

    def check_resumption(self, version):
        authority = self.authority(client_ca=self.pki.ca)
        # What tells servers apart for whom clients have to be known.
        authority.context.minimum_version = authority.context.maximum_version = version
        self.start_agent(authority.url)
        eventually(lambda: len(authority.serials) >= 2, "heartbeats arrive")
        # As of an authority that was killed: without close_notify, and it remembers nothing.
        authority.drop_connections()
        eventually(lambda: len(authority.resumed) >= 2, "it comes back")
        self.assertEqual(authority.resumed[:2], [False, True], self.log())

    def test_sessions_are_resumed_in_tls_1_2(self):
        self.check_resumption(ssl.TLSVersion.TLSv1_2)

    def test_sessions_are_resumed_in_tls_1_3(self):
        self.check_resumption(ssl.TLSVersion.TLSv1_3)

    def test_a_page_that_counts_sessions_may_be_https(self):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "8")
                self.end_headers()
                self.wfile.write(b"calls 7\n")

            def log_message(self, *arguments):
                pass

        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        web.socket = self.pki.server_context(NS1).wrap_socket(web.socket, server_side=True)
        self.addCleanup(web.server_close)
        self.addCleanup(web.shutdown)
        threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
        page = {"http": f"https://127.0.0.1:{web.server_port}/", "metric": "calls"}
        ours = {**page, "ca": str(self.pki.ca), "name": NS1}
        authority = self.authority(client_ca=self.pki.ca)
        self.start_agent(authority.url, sessions={"any": page, "ours": ours})
        eventually(lambda: {"any": 7, "ours": 7} in authority.sessions, self.log())
        self.stop_agent()
        (self.folder / "agent.sock").unlink(missing_ok=True)
        other = Pki(BUILD, self.folder, "other").ca
        seen = len(authority.sessions)
        self.start_agent(authority.url, sessions={"theirs": {**ours, "ca": str(other)}})
        text = "its certificate is not signed by an authority in the file that ca names"
        eventually(lambda: text in self.log(), "it says why")
        self.assertFalse([each for each in authority.sessions[seen:] if each])

    def test_tls_1_1_is_not_spoken(self):
        authority = self.authority()
        authority.context.minimum_version = ssl.TLSVersion.TLSv1
        authority.context.maximum_version = ssl.TLSVersion.TLSv1_1
        authority.context.set_ciphers("ALL:@SECLEVEL=0")
        self.start_agent(authority.url)
        self.shows("no TLS 1.2 or newer")

    def test_a_renewed_certificate_is_shown_at_the_next_heartbeat(self):
        authority = self.authority(client_ca=self.pki.ca)
        self.start_agent(authority.url)
        eventually(lambda: authority.last_serial() == self.serial, "the first one is shown")
        for new_key in ([], ["--new-key"]):
            serial = self.pki.make("renew", FE01, *new_key)[0]["serial"]
            self.put()
            eventually(
                lambda serial=serial: authority.last_serial() == serial, f"another: {self.log()}"
            )
        self.assertTrue(not any(authority.resumed), "a session of the old one was resumed")
        self.assertIn("was replaced", self.log())

    def test_half_of_a_renewal_changes_nothing(self):
        authority = self.authority(client_ca=self.pki.ca)
        self.start_agent(authority.url)
        eventually(lambda: authority.serials, "heartbeats arrive")
        serial = self.pki.make("renew", FE01, "--new-key")[0]["serial"]
        certificate, key = self.pki.pair("agent", FE01)
        shutil.copyfile(certificate, self.files["certificate"])
        self.shows("does not belong to the certificate")
        seen = len(authority.serials)
        eventually(lambda: len(authority.serials) > seen + 2, "heartbeats go on")
        self.assertEqual(authority.last_serial(), self.serial)
        shutil.copyfile(key, self.files["key"])
        eventually(lambda: authority.last_serial() == serial, "the new one is shown")
        self.assertNotIn("does not belong", self.status())

    def test_another_ca_counts_at_the_next_heartbeat(self):
        authority = self.authority()
        self.start_agent(authority.url)
        eventually(lambda: authority.serials, "heartbeats arrive")
        shutil.copyfile(Pki(BUILD, self.folder, "other").ca, self.folder / "ca.pem")
        self.shows("no authority answers", "its certificate is not signed by an authority in the file")
        shutil.copyfile(self.pki.ca, self.folder / "ca.pem")
        self.shows("answers (generation 17")

    def test_files_that_are_missing_come_later(self):
        authority = self.authority(client_ca=self.pki.ca)
        put, self.put = self.put, lambda: None
        self.start_agent(authority.url)
        self.shows(f"the certificate {self.files['certificate']} cannot be read: No such file")
        self.assertIn("no heartbeat can be pushed", self.log())
        put()
        self.shows("answers (generation 17")

    def test_a_certificate_that_is_over_is_told(self):
        past = WallClock(BUILD, self.folder)
        past.jump(-400 * DAY)
        done = processes.run(
            [BUILD / "sluicectl", "pki", "renew", "ca", FE01, "--days", "399", "--directory",
             self.pki.folder], env=past.environment,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pki.make("renew", "ca")
        authority = self.authority(client_ca=self.pki.ca)
        self.start_agent(authority.url)
        self.shows("no authority answers", "certificate has expired", "agent.pem expired on")
        self.assertIn("an authority will not take it", self.log())

    def test_each_way_of_being_the_wrong_one_has_its_words(self):
        self.pki.make("server", "ns2.pool01.contoso.example")
        self.start_agent(self.authority("ns2.pool01.contoso.example").url)
        self.shows("its certificate is for ns2.pool01.contoso.example, not for 127.0.0.1")
        self.stop_agent()
        (self.folder / "agent.sock").unlink(missing_ok=True)
        self.start_agent(self.authority(client_ca=self.pki.ca).url, token=True, certificate=False)
        self.shows("client certificate")
        self.stop_agent()
        (self.folder / "agent.sock").unlink(missing_ok=True)
        self.start_agent(self.authority().url, ca=False)
        self.shows("signed by nobody whom this host trusts: tls.ca names")

    def test_the_next_authority_is_tried_when_one_has_the_wrong_certificate(self):
        self.pki.make("server", "ns2.pool01.contoso.example")
        wrong = self.authority("ns2.pool01.contoso.example")
        right = self.authority(client_ca=self.pki.ca)
        self.start_agent(wrong.url, right.url)
        eventually(lambda: right.serials, "heartbeats arrive")
        self.shows(f"{right.url} answers")
        self.assertIn(f"heartbeat to {wrong.url}: its certificate is for ns2", self.log())
        self.assertEqual(wrong.serials, [])

    def test_a_key_that_everybody_reads_is_warned_of(self):
        authority = self.authority()
        put = self.put
        self.put = lambda: (put(), self.files["key"].chmod(0o644))
        self.start_agent(authority.url)
        self.shows("may be read by everybody", "answers (generation 17")


class SluicectlTest(TlsScenario):
    def setUp(self):
        super().setUp()
        self.pki.make("operator", "anna")
        self.anna = self.pki.pair("operator", "anna")

    def by(self, authority, ca=True, certificate=True):
        words = ["--api", authority.url]
        if ca:
            words += ["--ca", self.pki.ca]
        if certificate:
            words += ["--certificate", self.anna[0], "--key", self.anna[1]]
        return words

    def test_it_shows_a_certificate_from_options_or_the_environment(self):
        authority = self.authority(client_ca=self.pki.ca)
        self.check(0, *self.by(authority), "status")
        shown = len(authority.serials)
        self.assertTrue(shown and all(authority.serials), "with each request")
        self.check(
            0, "status", SLUICE_API=authority.url, SLUICE_CA=str(self.pki.ca),
            SLUICE_CERTIFICATE=str(self.anna[0]), SLUICE_KEY=str(self.anna[1]),
        )  # fmt: skip
        self.assertGreater(len(authority.serials), shown)
        self.assertTrue(all(authority.serials))

    def test_ca_and_token_do_without_a_certificate(self):
        authority = self.authority()
        token = self.folder / "token"
        token.write_text("t0\n")
        self.check(0, *self.by(authority, certificate=False), "--token-file", token, "status")
        self.assertEqual(set(authority.tokens), {"Bearer t0"})

    def test_errors_say_what_to_do_and_exit_5(self):
        authority = self.authority()
        self.check(5, *self.by(authority, ca=False), "status",
                   err="signed by nobody whom this host trusts: --ca names the file")  # fmt: skip
        other = Pki(BUILD, self.folder, "other")
        self.check(5, "--api", authority.url, "--ca", other.ca, "status",
                   err="not signed by an authority in the file that --ca names")  # fmt: skip
        self.pki.make("server", "ns2.pool01.contoso.example")
        self.check(5, *self.by(self.authority("ns2.pool01.contoso.example")), "status",
                   err="is for ns2.pool01.contoso.example, not for 127.0.0.1")  # fmt: skip
        self.check(5, *self.by(self.authority(client_ca=self.pki.ca), certificate=False), "status",
                   err="client certificate")  # fmt: skip
        self.check(5, *self.by(self.authority(client_ca=other.ca)), "status",
                   err="does not take the certificate")  # fmt: skip

    def test_an_authority_whose_certificate_is_over(self):
        past = WallClock(BUILD, self.folder)
        past.jump(-400 * DAY)
        done = processes.run(
            [BUILD / "sluicectl", "pki", "renew", "ca", NS1, "--days", "399", "--directory",
             self.pki.folder], env=past.environment,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pki.make("renew", "ca")
        self.check(5, *self.by(self.authority()), "status", err="has expired")

    def test_the_wrong_scheme_is_told_both_ways(self):
        authority = self.authority()
        self.check(5, "--api", authority.url.replace("https", "http"), "status", err="https://")
        plain = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        self.addCleanup(plain.server_close)
        self.addCleanup(plain.shutdown)
        threading.Thread(target=plain.serve_forever, args=(0.05,), daemon=True).start()
        self.check(5, "--api", f"https://127.0.0.1:{plain.server_port}", "status",
                   err="if it is plain HTTP, write http://")  # fmt: skip

    def test_files_are_named_when_they_are_wrong(self):
        url = ("--api", self.authority().url)
        self.check(5, *url, "--ca", "/nonexistent", "status", err="/nonexistent cannot be read")
        self.check(5, *url, "--certificate", self.anna[0], "--key", self.pki.folder / "ca.key",
                   "status", err="does not belong to the certificate")  # fmt: skip
        self.check(2, *url, "--certificate", self.anna[0], "status", err="--certificate needs --key")
        self.check(2, "--api", "http://127.0.0.1:1", "--ca", self.pki.ca, "status", err="https://")


def main():
    global BUILD
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD [-v] [Class.test]")
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
