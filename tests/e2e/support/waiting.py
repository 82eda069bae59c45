"""Waiting for a condition; for a time only where nothing is to happen meanwhile."""

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


def until_or_late(condition, patience, interval=0.01):
    """Polls until `condition()` is true, but `patience` seconds at most; whether it was. For what may be prevented."""
    watch = Stopwatch(patience)
    while not (met := bool(condition())) and watch.running():
        time.sleep(interval)
    return met


def hold_for(seconds, why):
    """Lets a time pass, for what must not have happened by its end; `why` is shown with a failure.

    For nothing else: what does happen is waited for with until().
    """
    print(f"for {seconds} s: {why}")
    time.sleep(seconds)


class Stopwatch:
    """Whether a loop may begin another round."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def running(self):
        return time.monotonic() < self._end


def rounds(seconds, enough, what):
    """Yields until `seconds` have passed and `enough()` is true; AssertionError when that never comes."""
    watch, late = Stopwatch(seconds), Stopwatch(seconds + DEADLINE)
    while watch.running() or not enough():
        assert late.running(), f"not within {seconds + DEADLINE:.0f} s: {what() if callable(what) else what}"
        yield
