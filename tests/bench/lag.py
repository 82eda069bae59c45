"""How long after a commit returned its bytes are visible in the secondary's file, and durable there."""

import multiprocessing
import os
import random
import subprocess
import time

from disk_shim import durable_ends, preloaded
from support import database as db
from watch import percentiles, watch

PROBE = os.environ.get("ZRS_WAIT_PROBE", "")


class Probe:
    """wait_probe.cc on a sidecar's admin socket."""

    def __init__(self, socket_path):
        self._popen = subprocess.Popen([PROBE, socket_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line="wait"):
        """The moment of the answer."""
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()
        when, outcome = self._popen.stdout.readline().split()
        assert outcome == "ok", "the sidecar did not answer in time"
        return float(when)

    def close(self):
        self._popen.stdin.close()
        self._popen.wait()


class Pace:
    """So many a second, without drifting; as many as it can where `rate` is None."""

    def __init__(self, rate):
        self._interval = 1 / rate if rate else 0
        self._next = time.monotonic()

    def wait(self):
        self._next += self._interval
        time.sleep(max(0, self._next - time.monotonic())) if self._interval else None


def commits(database, path, rate, seconds):
    """Commits at `rate` (None: at full speed) for so long; yields (committed end, when the commit returned)."""
    pace = Pace(rate)
    chooser = random.Random(7)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        db.put(database, number % 100, chooser.randbytes(chooser.choice([200, 200, 1_000, 5_000, 30_000])))
        now = time.monotonic()
        yield os.path.getsize(path), now
        number += 1
        pace.wait()


def visible(database, pair, rate, seconds):
    """([seconds of each commit], seconds between two looks)."""
    ours, theirs = multiprocessing.Pipe()
    stop = multiprocessing.Event()
    watcher = multiprocessing.Process(target=watch, args=(pair.copy, stop, theirs))
    watcher.start()
    ours.recv()
    committed = list(commits(database, pair.path, rate, seconds))
    pair.until_identical()
    time.sleep(0.2)  # until the watcher has looked once more
    stop.set()
    seen, interval = ours.recv()
    watcher.join()
    seen = dict(seen)
    return [seen[end] - returned for end, returned in committed], interval


def waited(database, pair, rate, seconds):
    """([seconds of each commit until Admin.Wait tells of it], [seconds of a call of it that waits for nothing])."""
    probe = Probe(pair.primary.admin_socket)
    lags = [probe.ask() - returned for _, returned in commits(database, pair.path, rate, seconds)]
    trips = []
    for _ in range(200):
        begin = time.monotonic()
        trips.append(probe.ask("trip") - begin)
    probe.close()
    return lags, trips


def durable(committed, trace):
    """Seconds of each commit until the secondary had synced it."""
    ends = iter(durable_ends(trace))
    reached, when = next(ends)
    lags = []
    for end, returned in committed:
        while reached < end:
            reached, when = next(ends)
        lags.append(when - returned)
    return lags


def lateness(seconds):
    """How late this machine wakes up a process that sleeps for 5 ms: no lag can be steadier than that."""
    late = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        time.sleep(0.005)
        late.append(time.monotonic() - begin - 0.005)
    return late


def two_syncs(path, rate, seconds):
    """Seconds of an append, its sync, a byte that is overwritten and its sync: nothing is durable sooner than that,
    with the order kept."""
    took = []
    pace = Pace(rate)
    end = time.monotonic() + seconds
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    position = 0
    while time.monotonic() < end:
        begin = time.monotonic()
        os.pwrite(descriptor, b"x" * 4096, position)
        os.fdatasync(descriptor)
        os.pwrite(descriptor, b"y", position)
        os.fdatasync(descriptor)
        took.append(time.monotonic() - begin)
        position += 4096
        pace.wait()
    os.close(descriptor)
    return took


def make_pair(lab, **options):
    """A database and a pair of sidecars that stream it, warmed up."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path, **options)
    pair.secondary.until_streaming()
    pair.until_identical()
    for _ in commits(database, path, 100, 1):
        pass
    return database, pair


def measure(lab, rate, seconds):
    trace = lab.path("trace")
    database, pair = make_pair(lab, secondary_env=preloaded(lab, TRACE=trace))
    machine = lateness(seconds / 4)
    disk = two_syncs(lab.path("syncs"), rate, seconds / 4)
    seen, interval = visible(database, pair, rate, seconds)
    # Without the process that looks, which takes a tenth of a core.
    committed = list(commits(database, pair.path, rate, seconds))
    pair.until_identical()
    synced = durable(committed, trace)
    told, trips = waited(database, pair, rate, seconds / 2)
    pair.until_identical()
    return {
        "commitsPerSecond": rate,
        "commits": len(seen),
        "visibleMilliseconds": percentiles(seen),
        "lookIntervalMilliseconds": interval * 1000,
        "durableMilliseconds": percentiles(synced),
        "waitMilliseconds": percentiles(told),
        "adminRoundTripMilliseconds": percentiles(trips),
        "machineLateMilliseconds": percentiles(machine),
        "twoSyncsMilliseconds": percentiles(disk),
    }
