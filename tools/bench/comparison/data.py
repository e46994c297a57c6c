"""The names that every server answers for: 1,001 pools of eight servers in one zone."""

ZONE = "contoso.example"
SERVERS = 8  # of each pool
POOLS = 1_000  # that are asked in turn, besides pool01


def pools():
    return ["pool01", *(f"pool{number:04}" for number in range(1, POOLS + 1))]


def addresses(pool, server):
    """IPv4 and IPv6 of the server with this number of the pool with this number."""
    return f"10.{pool // 256}.{pool % 256}.{server}", f"fd99::{pool:x}:{server:x}"


def apex():
    return [
        "@ 300 IN SOA ns1 hostmaster 1 3600 600 86400 10",
        "@ 300 IN NS ns1",
        "ns1 300 IN A 127.0.0.1",
    ]


def zone_file():
    """What a peer answers: the same records, written down."""
    lines = [f"$ORIGIN {ZONE}.", *apex()]
    for number, pool in enumerate(pools()):
        for server in range(1, SERVERS + 1):
            host = f"fe{server}.{pool}"
            for kind, address in zip(("A", "AAAA"), addresses(number, server)):
                lines += [f"{pool} 30 IN {kind} {address}", f"{host} 30 IN {kind} {address}"]
            lines.append(f"_sip._tcp.{pool} 30 IN SRV 10 25600 5060 {host}")
    return "\n".join(lines) + "\n"


def configuration(dns_port, directory):
    """The same for sluiced, as JSON, which is YAML."""
    return {
        "dns": {"listen": [f"127.0.0.1@{dns_port}"], "workers": 1},
        "api": {"socket": f"{directory}/sluice.sock"},
        "store": {"directory": f"{directory}/state"},
        "services": {"front-end": {"title": "Front-End"}},
        "zones": [{"name": ZONE, "records": "\n".join(apex()) + "\n"}],
        "pools": [
            {
                "fqdn": f"{pool}.{ZONE}",
                "service": "front-end",
                "servers": [
                    {
                        "fqdn": f"fe{server}.{pool}.{ZONE}",
                        "addresses": list(addresses(number, server)),
                    }
                    for server in range(1, SERVERS + 1)
                ],
                "srv": [{"name": "_sip._tcp", "service": "front-end", "port": 5060, "priority": 10}],
            }
            for number, pool in enumerate(pools())
        ],
    }
