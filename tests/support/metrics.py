"""One number of the page that Prometheus reads."""

import re


def metric(api, name):
    """`name` with its labels, as the page writes them."""
    page = api.call("GET", "/metrics").text
    match = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert match, f"no {name} in\n{page}"
    return float(match.group(1))


def generation(api):
    return int(metric(api, "sluice_generation"))
