"""A name server that hands on what the authority answers, changed as a test wants it."""

import contextlib
import socket
import struct
import threading

from support import dns, ports

UDP, TCP = "udp", "tcp"
SILENT = None  # in place of octets: no answer at all


def honest(octets, _):
    return octets


def flags(clear=0, add=0):
    """The answer with other bits in the second word of its header."""

    def change(octets, _):
        word = struct.unpack_from(">H", octets, 2)[0]
        return octets[:2] + struct.pack(">H", word & ~clear | add) + octets[4:]

    return change


def replaced(before, after):
    """The answer with other octets, such as an address's."""
    return lambda octets, _: octets.replace(before, after)


class Forwarder:
    """On UDP and TCP of one port, in threads of its own; `change(octets, transport)` makes the
    answer: octets, or SILENT."""

    def __init__(self, upstream, change=honest, address="127.0.0.1", port=0):
        self.upstream, self.change = upstream, change
        self.asked = 0
        self.udp, self.tcp = ports.udp_and_tcp(address, port)
        self.port = self.tcp.getsockname()[1]
        self.name = f"{address}@{self.port}"
        for loop in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def close(self):
        for each in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _answer(self, query, transport):
        self.asked += 1
        with socket.create_connection(("127.0.0.1", self.upstream), timeout=20) as authority:
            authority.sendall(struct.pack(">H", len(query)) + query)
            return self.change(dns.read_tcp(authority), transport)

    def _serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.udp.recvfrom(4096)
                answer = self._answer(query, UDP)
                if answer is not SILENT:
                    self.udp.sendto(answer, client)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.tcp.accept()
                threading.Thread(target=self._serve_client, args=[client], daemon=True).start()

    def _serve_client(self, client):
        with client, contextlib.suppress(OSError):
            answer = self._answer(dns.read_tcp(client), TCP)
            if answer is SILENT:
                client.recv(1)  # until the client gives up
            else:
                client.sendall(struct.pack(">H", len(answer)) + answer)
