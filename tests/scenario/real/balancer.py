"""HAProxy in TCP mode: a connection for each call, its servers from the pool's SRV records."""

import csv
import io
import socket

from support import peers, processes
from support.polling import eventually
from support.sluiced import POOL

ADDRESS, PORT = "127.0.0.40", 5060
# HAProxy looks at no TTL, it asks again after so long (`timeout resolve` alone says when): what it
# adds to what the resolver's cache keeps, and so what `horizon_margin` has to have room for.
ASKS_EVERY = 0.5

# Nothing hides a failure: no second try, no other server. `hold obsolete 0s`, its default: who has
# left the answer gets nothing new from then on. It goes to maintenance, which by default leaves its
# sessions alone (`on-marked-down shutdown-sessions` would not).
_CONFIGURATION = """\
global
  stats socket {folder}/stats mode 600
  nbthread 1

resolvers site
  nameserver unbound {resolver}:53
  accepted_payload_size 4096
  resolve_retries 3
  timeout resolve {every}ms
  timeout retry 1s
  hold obsolete 0s

defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  retries 0

frontend sip
  bind {address}:{port}
  default_backend pool

backend pool
  balance roundrobin
  default-server resolvers site resolve-prefer ipv4 init-addr none check inter 1s
  server-template server 3 _sip._tcp.{pool}
"""


class HAProxy:
    def __init__(self, folder, resolver):
        self.folder = folder / "haproxy"
        self.folder.mkdir()
        config = self.folder / "haproxy.cfg"
        config.write_text(
            _CONFIGURATION.format(
                folder=self.folder, resolver=resolver, every=int(ASKS_EVERY * 1000),
                address=ADDRESS, port=PORT, pool=POOL,
            ),
            encoding="utf-8",
        )  # fmt: skip
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            self.process = processes.start(
                [peers.program("haproxy"), "-db", "-f", config], stdout=log, stderr=log
            )
        eventually((self.folder / "stats").exists, "HAProxy runs")

    @property
    def target(self):
        return f"{ADDRESS}:{PORT}"

    def servers(self):
        """What it counts of each server, by address."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stats:
            stats.settimeout(10)
            stats.connect(str(self.folder / "stats"))
            stats.sendall(b"show stat\n")
            text = b"".join(iter(lambda: stats.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        return {
            row["addr"].rsplit(":", 1)[0]: row
            for row in rows
            if row["pxname"] == "pool" and row["svname"].startswith("server")
        }

    def errors(self):
        """Connections that failed, were tried again or went elsewhere; over all servers."""
        counters = ("econ", "eresp", "wretr", "wredis")
        return sum(int(row[c] or 0) for row in self.servers().values() for c in counters)
