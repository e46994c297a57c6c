"""What must be the same wherever a state has been moved to, as the API shows it."""

HOLD = ("scope", "origin", "by", "reason", "since", "startup", "expires", "then")
PLAN = ("id", "kind", "server", "service", "at", "by", "reason")


def kept(api, servers):
    """(what was ordered of each service of these servers, what is planned)"""
    services = {
        (server, name): (
            service["forced"],
            service["startup"],
            [{key: hold.get(key) for key in HOLD} for hold in service["holds"]],
        )
        for server in servers
        for name, service in api.server(server)["services"].items()
    }
    plans = [
        {key: plan.get(key) for key in PLAN} for plan in api.get("/v1/schedules")["schedules"]
    ]
    return services, plans
