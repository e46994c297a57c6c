"""Waiting for a condition instead of for a time."""

import time

# Between two looks: short against a lease of 600 ms, long against what one look costs.
INTERVAL_SECONDS = 0.02
# Far beyond what anything here takes, sanitizers and a busy machine included.
PATIENCE_SECONDS = 20.0


def eventually(condition, what, within=PATIENCE_SECONDS):
    """Asks `condition` until it returns something true, which is returned; an AssertionError of
    `condition` counts as not yet."""
    end = time.monotonic() + within
    while True:
        last = None
        try:
            value = condition()
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what} (last: {last!r})")
        time.sleep(INTERVAL_SECONDS)


def always(condition, what, during):
    """Asks `condition` for `during` seconds; it must be true each time."""
    end = time.monotonic() + during
    while time.monotonic() < end:
        value = condition()
        if not value:
            raise AssertionError(f"not always: {what} (got {value!r})")
        time.sleep(INTERVAL_SECONDS)


def until(moment):
    """Returns at that moment of the wall clock: what happens then is what a test is about."""
    while (left := moment - time.time()) > 0:
        time.sleep(left)
