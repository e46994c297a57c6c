"""semantics.md section 3 for an observer who does not know everything: of each server, all that may
be true; of an answer set, all answers that follow from it. Pure."""

import functools
import itertools

UP, KEPT, OUT = "up", "kept", "out"  # what is claimed of a service; kept: up, by an older push

# What matters of a server for one answer set, and no more, so that there are few combinations.
# accepts: in by rules 2 to 5; spare: rule 6 may name it; servable: `serve_held` may.


def standings(held, forced, claims):
    """The combinations of what may be true, as (accepts, spare, servable)."""
    return frozenset(
        (
            not each_held and (force == "up" or (force is None and claim != OUT)),
            not each_held and force != "down",
            claim == UP and force != "down",
        )
        for each_held in held
        for force in forced
        for claim in claims
    )


@functools.lru_cache(maxsize=4096)
def answers(policy, servers):
    """`servers`: for each its standings; `policy`: nodata, addresses or serve_held. All that may be
    answered: (numbers of the members, counted from 1; which fallback)."""
    return frozenset(_answer(policy, each) for each in itertools.product(*servers))


def _answer(policy, each):
    for column, fallback in ((0, "none"), (1, "never-empty")):
        members = frozenset(n for n, server in enumerate(each, 1) if server[column])
        if members:
            return members, fallback
    if policy == "serve_held":
        members = frozenset(n for n, server in enumerate(each, 1) if server[2])
        if members:
            return members, "serve-held"
    return frozenset(), "addresses" if policy == "addresses" else "nodata"


@functools.lru_cache(maxsize=4096)
def refusals(servers, number, floors):
    """Whether a drain of that server may be refused by the floor: {True}, {False}, or both."""
    outcomes = set()
    for each in itertools.product(*servers):
        accepting = sum(server[0] for server in each)
        for floor in floors:
            outcomes.add(each[number - 1][0] and accepting - 1 < floor)
    return frozenset(outcomes)
