"""Ports that nobody else has."""

import contextlib
import socket


def udp_and_tcp(address="127.0.0.1", port=0):
    """(a UDP socket, a TCP socket that listens) on one port: `port`, or one that is free for both.
    Which ones are free for TCP is known by trying."""
    while True:
        tcp = socket.create_server((address, port))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((address, tcp.getsockname()[1]))
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()
            if port != 0:
                raise


def free_port():
    """A port that was free for UDP and TCP a moment ago. For what cannot be told to use port 0."""
    udp, tcp = udp_and_tcp()
    with contextlib.closing(udp), contextlib.closing(tcp):
        return tcp.getsockname()[1]
