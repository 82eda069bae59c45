"""How long after a commit returned its bytes are visible in the secondary's file, and acknowledged as durable there."""

import multiprocessing
import os
import random
import time

from admin import AdminClient
from support import database as db
from support import rawfs
from support.sidecar import ROOT

# Between two looks at the secondary's file. A look is one or two system calls; without a pause it would take a core.
_PAUSE = 0.00005


def percentiles(values):
    """Of seconds, in milliseconds."""
    ordered = sorted(values)
    return {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000
            for name, part in (("p50", 0.50), ("p99", 0.99), ("max", 1.0))}


def _watch(path, stop, answer):
    """In a process of its own: notes when each committed end becomes visible, as an opener of the file would see it."""
    seen = []
    descriptor = os.open(path, os.O_RDONLY)
    position = rawfs.committed_end(path)
    looks = 0
    begin = time.monotonic()
    while not stop.is_set():
        looks += 1
        header = os.pread(descriptor, rawfs.HEADER.size, position)
        while len(header) == rawfs.HEADER.size:
            _, length, status = rawfs.HEADER.unpack(header)[:3]
            if status == b"c" or os.fstat(descriptor).st_size < position + length + 8:
                break
            position += length + 8
            seen.append((position, time.monotonic()))
            header = os.pread(descriptor, rawfs.HEADER.size, position)
        time.sleep(_PAUSE)
    answer.send((seen, (time.monotonic() - begin) / looks))
    os.close(descriptor)


class _Pace:
    """So many a second, without drifting."""

    def __init__(self, rate):
        self._interval = 1 / rate
        self._next = time.monotonic()

    def wait(self):
        self._next += self._interval
        time.sleep(max(0, self._next - time.monotonic()))


def _commits(database, path, rate, seconds):
    """Commits at `rate`; yields (committed end, when the commit returned)."""
    pace = _Pace(rate)
    chooser = random.Random(7)
    for number in range(int(rate * seconds)):
        db.put(database, number % 100, chooser.randbytes(chooser.choice([200, 200, 1_000, 5_000, 30_000])))
        now = time.monotonic()
        yield os.path.getsize(path), now
        pace.wait()


def _visible(database, pair, rate, seconds):
    ours, theirs = multiprocessing.Pipe()
    stop = multiprocessing.Event()
    watcher = multiprocessing.Process(target=_watch, args=(pair.copy, stop, theirs))
    watcher.start()
    committed = list(_commits(database, pair.path, rate, seconds))
    pair.until_identical()
    stop.set()
    seen, interval = ours.recv()
    watcher.join()
    seen = dict(seen)
    return percentiles([seen[end] - returned for end, returned in committed]), interval * 1000


def _durable(database, pair, rate, seconds):
    client = AdminClient(ROOT, pair.primary.admin_socket)
    lags = []
    for _, returned in _commits(database, pair.path, rate, seconds):
        client.wait()
        lags.append(time.monotonic() - returned)
    trips = []
    for _ in range(200):
        begin = time.monotonic()
        client.status()
        trips.append(time.monotonic() - begin)
    client.close()
    return percentiles(lags), percentiles(trips)


def measure(lab, rate, seconds):
    """A result for the table."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    pair.until_identical()
    for _ in _commits(database, path, rate, 1):
        pass
    visible, interval = _visible(database, pair, rate, seconds)
    durable, round_trip = _durable(database, pair, rate, seconds)
    pair.until_identical()
    return {
        "commitsPerSecond": rate,
        "commits": int(rate * seconds),
        "visibleMilliseconds": visible,
        "lookIntervalMilliseconds": interval,
        "durableMilliseconds": durable,
        "adminRoundTripMilliseconds": round_trip,
    }
