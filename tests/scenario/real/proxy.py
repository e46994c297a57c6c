"""kamailio: a SIP proxy that finds the front ends by SRV records, through the site's resolver."""

import re

from support import peers, processes
from support.polling import eventually

ADDRESS, PORT = "127.0.0.30", 5060

# Its own DNS cache keeps answers as long as their TTL says, its default. It chooses by SRV weight
# for each call only where it may go on to the next server when one fails; no_errors() tells whether
# it ever had to. One connection to each server carries all calls, and is not closed for being idle.
_CONFIGURATION = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
listen=udp:{address}:{port}
listen=tcp:{address}:{port}
auto_aliases=no
use_dns_cache=on
dns_cache_min_ttl={keeps}
dns_srv_lb=on
use_dns_failover=on
dns_try_ipv6=off
dns_try_naptr=off
dns_use_search_list=no
tcp_connection_lifetime=3600
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tm", "failure_reply_mode", 3)

request_route {{
  if (has_totag()) {{
    loose_route();
  }} else if (is_method("INVITE")) {{
    record_route();
  }}
  t_relay();
}}
"""


class Kamailio:
    def __init__(self, folder, keeps=0):
        self.folder = folder / "kamailio"
        self.folder.mkdir()
        config = self.folder / "kamailio.cfg"
        config.write_text(
            _CONFIGURATION.format(address=ADDRESS, port=PORT, keeps=keeps), encoding="utf-8"
        )
        self.log_file = self.folder / "log"
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = processes.start(
                [peers.program("kamailio"), "-DD", "-E", "-f", config, "-w", self.folder,
                 "-Y", self.folder],
                stdout=log, stderr=log,
            )  # fmt: skip
        eventually(lambda: "Listening on" in self.log(), "kamailio listens")

    @property
    def target(self):
        return f"{ADDRESS}:{PORT}"

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def errors(self):
        """What it could not send or connect, among others."""
        return [line for line in self.log().splitlines() if re.search("ERROR|CRITICAL", line)]
