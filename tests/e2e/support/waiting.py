"""Waiting for a condition, never for a time."""

import time

DEADLINE = 30.0


def until(condition, what, timeout=DEADLINE, interval=0.01):
    """Polls until `condition()` is true and returns its value; AssertionError after `timeout` seconds.

    `what` is a string, or a function that is called for one when it is too late.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s in vain for {what() if callable(what) else what}")
        time.sleep(interval)


class Stopwatch:
    """Whether a loop may begin another round."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def running(self):
        return time.monotonic() < self._end
