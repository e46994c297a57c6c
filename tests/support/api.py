"""The authority's HTTP API, over TCP or the unix socket, and agents that push by it."""

import dataclasses
import http.client
import json
import socket
import ssl
import threading
import time


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return json.loads(self.text)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """One kept connection; not for several threads at once."""

    def __init__(self, port=None, path=None, token=None, timeout=30.0, tls=None):
        """`tls`: an ssl.SSLContext, with which https is spoken."""
        self._token = token
        if path:
            self._connection = _UnixConnection(str(path), timeout)
        elif tls:
            self._connection = http.client.HTTPSConnection(
                "localhost", port, timeout=timeout, context=tls
            )
        else:
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def call(self, method, target, body=None, headers=None):
        """`body`: octets as they are, anything else as JSON."""
        headers = dict(headers or {})
        if self._token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if self._was_ended():
            self._connection.close()
        try:
            self._connection.request(method, target, body, headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next call connects anew
            raise
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, text)

    def _was_ended(self):
        """Whether the server has closed the kept connection since its last response, as it may (RFC
        9112 section 9.3): by a reload that takes the token away, by a restart."""
        sock = self._connection.sock
        if sock is None:
            return False
        timeout = sock.gettimeout()
        sock.settimeout(0)
        try:
            # TLS has tickets that may wait; there is nothing to peek at beside them.
            return not sock.recv(1, 0 if isinstance(sock, ssl.SSLSocket) else socket.MSG_PEEK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            sock.settimeout(timeout)

    def close(self):
        self._connection.close()

    def get(self, target):
        reply = self.call("GET", target)
        assert reply.status == 200, f"GET {target}: {reply.status} {reply.text}"
        return reply.json

    def server(self, server):
        return self.get(f"/v1/servers/{server}")

    def service(self, server, service):
        return self.server(server)["services"][service]

    def verdict(self, server, service=None):
        query = f"?service={service}" if service else ""
        return self.get(f"/v1/servers/{server}/verdict{query}")

    def try_drain(self, server, **fields):
        return self.call("POST", f"/v1/servers/{server}/drain", fields)

    def drain(self, server, **fields):
        reply = self.try_drain(server, **fields)
        assert reply.status == 200, f"drain {server} {fields}: {reply.status} {reply.text}"
        return reply.json

    def try_resume(self, server, **fields):
        return self.call("POST", f"/v1/servers/{server}/resume", fields)

    def resume(self, server, **fields):
        reply = self.try_resume(server, **fields)
        assert reply.status == 200, f"resume {server} {fields}: {reply.status} {reply.text}"
        return reply.json

    def force(self, server, health, **fields):
        reply = self.call("POST", f"/v1/servers/{server}/force", {"health": health, **fields})
        assert reply.status == 200, f"force {server} {health}: {reply.status} {reply.text}"
        return reply.json


class FakeAgent:
    """Pushes for one server what the test says: `services` maps names to what is pushed of each."""

    def __init__(self, api, server, services, boot="boot-1"):
        self.api, self.server, self.boot = api, server, boot
        self.services = {
            name: {"health": "up", "instance": "run-1", "sessions": {"connections": 0}}
            for name in services
        }
        self._pusher = None
        self._stop = threading.Event()
        self._lock = threading.RLock()  # of the connection and of what is said

    def try_push(self, seq=None, services=None, boot=None):
        with self._lock:
            body = {
                "instance": boot or self.boot,
                "seq": time.monotonic_ns() // 1000 if seq is None else seq,
                "services": self.services if services is None else services,
            }
            return self.api.call("PUT", f"/v1/servers/{self.server}/heartbeat", body)

    def push(self, **fields):
        reply = self.try_push(**fields)
        assert reply.status == 200, f"heartbeat of {self.server}: {reply.status} {reply.text}"
        return reply.json

    def say(self, service=None, **fields):
        """Changes what is pushed of one service, or of all, and pushes it."""
        with self._lock:
            for name in [service] if service else self.services:
                self.services[name].update(fields)
            return self.push()

    def keep_pushing(self, interval):
        """From a thread of its own, until stop(); what fails is tried again at the next turn."""

        def pusher():
            while not self._stop.wait(interval):
                try:
                    self.try_push()
                except (OSError, http.client.HTTPException):
                    pass

        self._stop.clear()
        self._pusher = threading.Thread(target=pusher, daemon=True)
        self._pusher.start()

    def stop(self):
        self._stop.set()
        if self._pusher:
            self._pusher.join()
            self._pusher = None
