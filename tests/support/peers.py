"""Stock Knot and NSD beside Sluice: the same zone on a loopback port, nothing but files in a folder
of the test's own."""

import shutil
import socket
import struct

from support import processes
from support.polling import eventually
from support.ports import free_port


def program(name):
    """Where a daemon is installed, or None; /usr/sbin is not in everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class Peer:
    """A server that runs until end() or the end of the test's process."""

    name = ""

    def __init__(self, folder, zone, zone_file, port=None):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.port = port or free_port()
        config = self.folder / "config"
        config.write_text(self.configuration(zone, zone_file))
        self.log_file = self.folder / "log"
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = processes.start(self.command(config), stdout=log, stderr=log)
        try:
            eventually(lambda: self._serves(zone), f"{self.name} serves {zone}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from error

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def _serves(self, zone):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at its start:\n{self.log()}")
        name = b"".join(bytes([len(label)]) + label.encode() for label in zone.split("."))
        # RD: a resolver that is not asked to resolve answers from its cache alone.
        query = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + name + b"\0\0\6\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.connect(("127.0.0.1", self.port))
            try:
                client.send(query)
                answer = client.recv(512)
            except OSError:
                return False
            return answer[3] & 15 == 0 and answer[7] == 1

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def configuration(self, zone, zone_file):
        raise NotImplementedError

    def command(self, config):
        raise NotImplementedError


class Knot(Peer):
    name = "knot"

    def configuration(self, zone, zone_file):
        return f"""\
server:
  rundir: {self.folder}
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
- target: stderr
  any: warning
database:
  storage: {self.folder}
zone:
- domain: {zone}
  file: {zone_file}
  zonefile-sync: -1
  journal-content: none
"""

    def command(self, config):
        return [program("knotd"), "-c", config]


class Nsd(Peer):
    name = "nsd"

    def configuration(self, zone, zone_file):
        # NSD limits the rate of answers unless told otherwise, and drops its rights unless it has
        # none to drop.
        return f"""\
server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{zone_file.parent}"
  database: ""
  pidfile: "{self.folder}/pid"
  xfrdfile: "{self.folder}/xfrd"
  xfrdir: "{self.folder}"
  zonelistfile: "{self.folder}/zones"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  tcp-count: 20
remote-control:
  control-enable: no
zone:
  name: {zone}
  zonefile: "{zone_file}"
"""

    def command(self, config):
        return [program("nsd"), "-d", "-c", config]


class Unbound(Peer):
    """A caching resolver: asks the authority on `authority_port` for `zone`, and nobody else."""

    name = "unbound"

    def __init__(self, folder, zone, authority_port, port=None):
        self.authority_port = authority_port
        super().__init__(folder, zone, None, port)

    def configuration(self, zone, zone_file):
        return f"""\
server:
  interface: 127.0.0.1@{self.port}
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  cache-min-ttl: 0
  local-zone: "example." nodefault
stub-zone:
  name: "{zone}"
  stub-addr: 127.0.0.1@{self.authority_port}
  stub-first: no
remote-control:
  control-enable: no
"""

    def command(self, config):
        return [program("unbound"), "-d", "-c", config]
