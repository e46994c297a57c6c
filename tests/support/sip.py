"""A SIP element that answers the OPTIONS of checks."""


import threading

from support import ports


class Sip:
    """Answers OPTIONS over UDP and TCP with `status`; over UDP it loses the first `losses`."""

    def __init__(self):
        self.status, self.losses, self.requests = "200 OK", 0, []
        self.udp, self.tcp = ports.udp_and_tcp()
        self.port = self.tcp.getsockname()[1]
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, request):
        self.requests.append(request)
        kept = ("Via:", "From:", "To:", "Call-ID:", "CSeq:")
        lines = [line for line in request.split("\r\n") if line.startswith(kept)]
        both = ["100 Trying", self.status]  # a provisional answer is not the last word
        return [
            "\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""]).encode()
            for status in both
        ]

    def serve_udp(self):
        while True:
            request, peer = self.udp.recvfrom(65536)
            if self.losses > 0:
                self.losses -= 1
                continue
            for octets in self.answer(request.decode()):
                self.udp.sendto(octets, peer)

    def serve_tcp(self):
        while True:
            connection, _ = self.tcp.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(4096) or b"\r\n\r\n"
                connection.sendall(b"".join(self.answer(request.decode())))
