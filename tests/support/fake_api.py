"""An API that says whatever the test wants, and sluicectl in front of it."""

import http.server
import json
import os
import pathlib
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

from support import processes

POOL = "pool01.contoso.example"
FE02 = f"fe02.{POOL}"
TOKEN = "a-token"
DRAINED = {
    "generation": 17,
    "confirmed_by": ["ns1"],
    "unconfirmed": [],
    "cache_horizon": "2099-01-01T00:00:30Z",
    "warnings": ["a restart of front-end lifts this hold: --startup manual keeps it"],
}
HOLD = {
    "scope": "server", "origin": "operator", "by": "operations", "reason": "patch",
    "since": "2026-11-20T10:00:00Z", "startup": "automatic",
}  # fmt: skip


def verdict(*reasons):
    return {"safe_to_stop": not reasons, "reasons": list(reasons), "warnings": []}


def sessions(count):
    return {"code": "sessions", "text": f"{count} connections on front-end"}


HORIZON = {"code": "horizon", "text": "caches may name it", "until": "2099-01-01T00:00:30Z"}


def server(judged, status="draining", holds=(HOLD,), count=12, name=FE02):
    service = {
        "status": status, "health": "up", "forced": None, "instance": "i", "startup": "automatic",
        "title": "Lync Server Front-End", "consolidates": ["registrar"],
        "sessions": {"connections": count}, "in_answers": status == "accepting",
        "cache_horizon": None, "holds": list(holds), "verdict": judged,
    }  # fmt: skip
    return {
        "server": name, "pool": POOL, "addresses": ["10.99.0.12"], "weight": 100,
        "lease": {"state": "current", "expires_in": 5.1},
        "services": {"front-end": service}, "verdict": judged, "warnings": [],
    }  # fmt: skip


SAFE = server(verdict(), status="drained", count=0)
BUSY = server(verdict(HORIZON, sessions(12)))
FREE = server(verdict({"code": "not-held", "text": "front-end is not held"}), "accepting", ())


def pool(*servers):
    return {
        "pool": POOL, "service": "front-end", "generation": 17, "min_accepting": 1,
        "dns_load_balancing": True, "mass_loss_guard": False,
        "answer_sets": [{"owner": POOL, "service": "front-end", "fallback": "none",
                         "members": [f"fe01.{POOL}"]}],
        "servers": list(servers), "warnings": ["call-park: no agent pushes it"],
    }  # fmt: skip


def problem(status, **members):
    return status, {"type": "about:blank", "title": "no", "status": status, **members}


class Raw:
    """Octets in place of a document."""

    def __init__(self, octets, status=200, kind="text/html", declared=None):
        self.octets, self.status, self.kind = octets, status, kind
        self.declared = len(octets) if declared is None else declared


class Live:
    """A stream: what an iterator yields, as it yields it."""

    def __init__(self, pieces, kind="text/event-stream"):
        self.pieces, self.kind = pieces, kind


# In place of an answer: the connection ends.
LOST = object()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        api = self.server.api
        with api.lock:
            api.requests.append((self.command, self.path, dict(self.headers), body.decode()))
            api.connections.add(self.connection)
            said = api.answers.get(f"{self.command} {self.path}")
            if isinstance(said, list):
                said = said.pop(0) if len(said) > 1 else said[0]
        if callable(said):
            said = said()
        if said is None:
            said = problem(404, detail=f"there is no {self.path}")
        if said is LOST:
            self.close_connection = True
            return None
        if isinstance(said, Live):
            return self.stream(said)
        if not isinstance(said, Raw):
            status, document = said if isinstance(said, tuple) else (200, said)
            said = Raw(json.dumps(document).encode(), status, "application/json")
        self.send_response(said.status)
        self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(said.declared))
        self.end_headers()
        self.wfile.write(said.octets)
        if said.declared != len(said.octets):
            self.close_connection = True
        return None

    def stream(self, said):
        """Octets as the test makes them, until it ends or breaks the connection."""
        self.send_response(200)
        self.send_header("Content-Type", said.kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for octets in said.pieces:
            try:
                self.wfile.write(octets)
                self.wfile.flush()
            except OSError:  # whoever reads has ended
                return

    do_GET = do_POST = do_DELETE = answer


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class FakeApi:
    """`answers` maps "GET /path" to a document, (status, document), Raw, a callable, or a list of
    these, of which the last one stays."""

    def __init__(self, socket=None):
        self.answers, self.requests, self.connections = {}, [], set()
        self.lock = threading.Lock()
        if socket:
            self.http = UnixServer(str(socket), Handler)
        else:
            self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.http.daemon_threads = True
        self.http.api = self
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class SluicectlTest(unittest.TestCase):
    build = pathlib.Path()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.api = FakeApi()
        self.addCleanup(self.api.close)
        self.answers = self.api.answers
        self.token_file = self.folder / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.environment = {
            "PATH": os.environ["PATH"], "TZ": "UTC0", "HOME": str(self.folder),
            "SLUICE_API": self.api.url, "SLUICE_TOKEN_FILE": str(self.token_file),
        }  # fmt: skip
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run_ctl(self, *words, **environment):
        return processes.run(
            [self.build / "sluicectl", *words], env={**self.environment, **environment}
        )

    def start_ctl(self, *words, **options):
        """In the background; SIGINT does what it does in a terminal, whatever it does here."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return processes.start(
            [self.build / "sluicectl", *words],
            env=self.environment,
            limits=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )

    def check(self, exit_code, *words, out=(), err=(), **environment):
        done = self.run_ctl(*words, **environment)
        said = f"stdout:\n{done.stdout}\nstderr:\n{done.stderr}"
        self.assertEqual(done.returncode, exit_code, said)
        for text in [out] if isinstance(out, str) else out:
            self.assertIn(text, done.stdout)
        for text in [err] if isinstance(err, str) else err:
            self.assertIn(text, done.stderr)
        return done



def main():
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD [-v] [Class.test]")
    SluicectlTest.build = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
