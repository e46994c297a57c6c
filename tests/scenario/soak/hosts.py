"""The servers of the pool as their administrator has them: services that listen, sessions on them.
One thread serves all; whoever is connected stays until it leaves or the service ends."""

import contextlib
import selectors
import socket
import threading
import time

from support import processes
from support.polling import eventually


def address(number):
    return f"127.0.1.{number}"


class Service:
    """`listening`: its checks succeed. `process`: what its pid file names; None while it is stopped."""

    def __init__(self, hosts, number, name, port):
        self.hosts, self.number, self.name, self.port = hosts, number, name, port
        self.pid_file = hosts.folder / f"{number}-{name}.pid"
        self.process, self.listener, self.connections = None, None, set()

    def start(self):
        """From the main thread: a child ends with the thread that made it."""
        self.process = processes.start(["sleep", "infinity"])
        fresh = self.pid_file.with_suffix(".new")
        fresh.write_text(f"{self.process.pid}\n")
        fresh.rename(self.pid_file)

    def stop(self):
        """Its sessions end with it."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.hosts.drop(self)

    def listen(self):
        if self.listener:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Another thread's child that has not begun its program yet may still have the former one.
        eventually(lambda: self._bind(listener), "its port is free")
        listener.listen(128)
        listener.setblocking(False)
        self.listener = listener
        self.hosts.watch(self)

    def _bind(self, listener):
        try:
            listener.bind((address(self.number), self.port))
            return True
        except OSError:
            return False

    def refuse(self):
        """Checks fail, sessions go on."""
        if self.listener:
            self.hosts.unwatch(self)
            self.listener = None


class Hosts:
    def __init__(self, folder, numbers, services, journal):
        self.folder = folder / "hosts"
        self.folder.mkdir()
        self.lock = threading.RLock()
        self.selector = selectors.DefaultSelector()
        self.services = {
            (number, name): Service(self, number, name, 5000 + 10 * number + place)
            for number in numbers for place, name in enumerate(services)
        }  # fmt: skip
        for service in self.services.values():
            service.start()
            service.listen()
        self.journal = journal
        journal.thread("hosts", self._serve)

    def port(self, number, service):
        return self.services[number, service].port

    def watch(self, service):
        with self.lock:
            self.selector.register(service.listener, selectors.EVENT_READ, (service, None))

    def unwatch(self, service):
        with self.lock:
            self.selector.unregister(service.listener)
            service.listener.close()

    def drop(self, service):
        with self.lock:
            for connection in list(service.connections):
                self._close(service, connection)

    def _close(self, service, connection):
        self.selector.unregister(connection)
        connection.close()
        service.connections.discard(connection)

    def _serve(self):
        while not self.journal.over.is_set():
            for key, _ in self.selector.select(0.05):
                with self.lock, contextlib.suppress(OSError, ValueError, KeyError):
                    service, connection = key.data
                    if connection is None:
                        accepted, _ = key.fileobj.accept()
                        accepted.setblocking(False)
                        service.connections.add(accepted)
                        self.selector.register(accepted, selectors.EVENT_READ, (service, accepted))
                    elif not connection.recv(4096):
                        self._close(service, connection)


class Sessions:
    """Of clients, by (server, service): when each was opened and, if it is over, closed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.all = {}

    def opened(self, number, service):
        session = [time.monotonic(), None]
        with self.lock:
            self.all.setdefault((number, service), []).append(session)
        return session

    def cut(self, number, service):
        """The service ends, and they with it."""
        with self.lock:
            for session in self.all.get((number, service), []):
                session[1] = session[1] or time.monotonic()

    def open_throughout(self, number, service, begin, end):
        """Those that were open from before `begin` until after `end`."""
        with self.lock:
            mine = self.all.get((number, service), [])
            mine[:] = [each for each in mine if each[1] is None or each[1] > end - 60]
            return [
                each for each in mine if each[0] < begin and (each[1] is None or each[1] > end)
            ]
