"""A client's side of TLS without its socket, for who sends octets as he likes and reads what comes."""

import contextlib
import ssl


class TlsOctets:
    """Octets in, octets out: each `say()` is records of its own."""

    def __init__(self, context, name="localhost"):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def shake_hands(self, client):
        while True:
            try:
                self.tls.do_handshake()
                return client.sendall(self.outgoing.read())
            except ssl.SSLWantReadError:
                client.sendall(self.outgoing.read())
                self.incoming.write(self._some(client))

    @staticmethod
    def _some(client):
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("the handshake was cut")
        return piece

    def say(self, plain):
        if plain:
            self.tls.write(plain)
        return self.outgoing.read()

    def goodbye(self):
        """close_notify: nothing more will be said."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        return self.outgoing.read()

    def hear(self, octets):
        """What the peer says by them; None: it said goodbye."""
        self.incoming.write(octets)
        said = b""
        while True:
            try:
                piece = self.tls.read(65536)
            except ssl.SSLWantReadError:
                return said
            except ssl.SSLError:
                return said or None
            if not piece:
                return said or None
            said += piece
