"""Waiting for a condition, with a deadline."""

import time


class Timeout(AssertionError):
    """The condition did not hold in time."""


def wait_until(condition, deadline=20.0, what=None, every=0.02):
    """Calls condition() until it returns something true, and returns that; raises Timeout after `deadline` seconds.

    An exception in the condition counts as "not yet", and is shown if the deadline passes. `what` may be a text or a
    function that returns one; it is asked only for the failure message.
    """
    end = time.monotonic() + deadline
    last = None
    while True:
        try:
            value, last = condition(), None
            if value:
                return value
        except Exception as error:  # pylint: disable=broad-except
            value, last = None, error
        if time.monotonic() >= end:
            wanted = what() if callable(what) else what or "the condition"
            seen = f"it raised {last!r}" if last is not None else f"it was {value!r}"
            raise Timeout(f"waited {deadline:g} s for {wanted}: {seen}") from last
        time.sleep(every)


def wait_steady(condition, for_seconds, what="the condition"):
    """Asserts that condition() stays true for `for_seconds`: for what must *not* happen, where nothing can be waited for."""
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        assert condition(), f"{what} did not last for {for_seconds:g} s"
        time.sleep(0.02)
