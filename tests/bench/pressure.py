"""A writer at full speed: does the secondary keep up, what does the writer lose, and what does a slow disk change."""

import multiprocessing
import os
import statistics
import threading
import time

import lag
from disk_shim import preloaded
from footprint import cpu_seconds
from support import config
from support import database as db
from support.ports import free_address
from support.waiting import until
from watch import percentiles


def _disconnects(sidecar):
    return sidecar.process.log().count(" disconnected")


def full_speed(lab, seconds):
    """Every commit is watched for, while each 20 ms another thread asks how long until all is durable. Then without
    both: a question has the primary look at its file at once, and so makes a commit durable sooner than it is."""
    trace = lab.path("trace")
    database, pair = lag.make_pair(lab, secondary_env=preloaded(lab, TRACE=trace))
    waits = []
    stop = threading.Event()
    # Not in the thread: the watcher, if it is forked meanwhile, would inherit the pipe whose end the start waits for.
    probe = lag.Probe(pair.primary.admin_socket)

    def ask():
        while not stop.wait(0.02):
            begin = time.monotonic()
            waits.append(probe.ask() - begin)

    before = _disconnects(pair.primary)
    asker = threading.Thread(target=ask)
    asker.start()
    seen, _ = lag.visible(database, pair, None, seconds)
    stop.set()
    asker.join()
    probe.close()
    committed = list(lag.commits(database, pair.path, None, seconds))
    pair.until_identical()
    return {
        "commitsPerSecond": len(committed) / seconds,
        "disconnects": _disconnects(pair.primary) - before,
        "visibleMilliseconds": percentiles(seen),
        "durableMilliseconds": percentiles(lag.durable(committed, trace)),
        "waitMilliseconds": percentiles(waits),
    }


def slow_disk(lab, seconds):
    """The secondary's syncs each take 5 ms more; how many commits share a group of them."""
    database_path = lab.path("primary-data", "Data.fs")
    db.fill(database_path)
    database = db.open_file(database_path)
    lab.at_close(database.close)
    address, copy, counter = free_address(), lab.path("secondary-data", "Data.fs"), lab.path("syncs")
    lab.sidecar("primary", config.primary(database_path, address)).start()
    environment = preloaded(lab, DELAY_MS=5, SYNCS=counter)
    secondary = lab.sidecar("secondary", config.secondary(copy, address), env=environment).start()
    secondary.until_streaming()
    until(lambda: os.path.getsize(copy) == os.path.getsize(database_path), "the copy")
    before, begin = os.path.getsize(counter), time.monotonic()
    number = sum(1 for _ in lag.commits(database, database_path, None, seconds))
    until(lambda: os.path.getsize(copy) == os.path.getsize(database_path), "the copy", timeout=300, interval=0.001)
    took = time.monotonic() - begin
    # A group has two syncs, and the first one's announcement may have one of its own.
    groups = max(1, (os.path.getsize(counter) - before) / 2)
    return {"commitsPerSecond": number / seconds, "appliedPerSecond": number / took, "commitsPerGroup": number / groups}


class _Burner:
    """A process that takes `share` of a core, in about as many turns as a copy has groups, and does nothing."""

    _TURN = 0.015

    def __init__(self, share):
        self._process = multiprocessing.Process(target=self._burn, args=(share,), daemon=True)
        self._process.start()

    def _burn(self, share):
        pace = lag.Pace(1 / self._TURN)
        while True:
            end = time.process_time() + share * self._TURN
            while time.process_time() < end:
                pass
            pace.wait()

    def stop(self):
        self._process.kill()
        self._process.join()


def writer_cost(lab, seconds, rounds):
    """The writer's rate with a pair of sidecars, without, and beside a process that takes as much processor time as
    both and does nothing, in turns: what changes slowly touches all of a round."""
    database, pair = lag.make_pair(lab)
    sidecars = (pair.primary, pair.secondary)
    shares = []

    def rate():
        return sum(1 for _ in lag.commits(database, pair.path, None, seconds)) / seconds

    def attached():
        if not pair.primary.process.running():
            pair.start()
            pair.secondary.until_streaming()
        before = sum(cpu_seconds(sidecar.process.pid) for sidecar in sidecars)
        result = rate()
        shares.append((sum(cpu_seconds(sidecar.process.pid) for sidecar in sidecars) - before) / seconds)
        return result

    def alone():
        stop()
        return rate()

    def burdened():
        stop()
        burner = _Burner(statistics.mean(shares))
        try:
            return rate()
        finally:
            burner.stop()

    def stop():
        if pair.primary.process.running():
            pair.secondary.stop()
            pair.primary.stop()

    rates = {attached: [], alone: [], burdened: []}
    for number in range(rounds):
        order = [alone, burdened] if number % 2 else [burdened, alone]
        for measure in [attached, *order]:
            rates[measure].append(measure())
    losses, burdens = (sorted(1 - one / other for one, other in zip(rates[which], rates[alone]))
                       for which in (attached, burdened))
    return {"commitsPerSecondAttached": statistics.median(rates[attached]),
            "commitsPerSecondAlone": statistics.median(rates[alone]),
            "loss": statistics.median(losses), "losses": losses,
            "sidecarsOfACore": statistics.mean(shares), "lossBesideABurner": statistics.median(burdens)}
