"""kill -9 at any instant, again and again: what is found afterwards is always a beginning of the primary's file."""

import random

import pytest
from support import database as db
from support import raw_file_storage
from support.compare import assert_prefix, same_beginning, size_of
from support.slow_link import behind_a_slow_link
from support.waiting import Stopwatch, rounds, until


def until_grown(path, at_most):
    """Waits until the file has grown by a random number of bytes."""
    wanted = size_of(path) + random.randrange(1, at_most)
    until(lambda: size_of(path) >= wanted, lambda: f"{path} ({size_of(path)} bytes) to reach {wanted}", interval=0.0005)


@pytest.mark.parametrize("victim", ["primary", "secondary"])
def test_kill_in_a_loop_under_load(lab, loop_seconds, victim):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    killed = getattr(pair, victim)
    times = 0
    with db.Writers(client, threads=2, sizes=(100, 5_000, 300_000)):
        for _ in rounds(loop_seconds, lambda: times > 1, "two kills"):
            until_grown(pair.copy, 500_000)
            killed.kill()
            killed.start()
            times += 1
    pair.until_identical()


def test_kill_of_both_in_a_loop_under_load(lab, loop_seconds):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    clock = Stopwatch(loop_seconds)
    with db.Writers(client, threads=2):
        while clock.running():
            until_grown(pair.copy, 200_000)
            for sidecar in random.sample([pair.primary, pair.secondary], 2):
                sidecar.kill()
            pair.start()
    pair.until_identical()


def test_kill_of_the_secondary_during_its_first_copy(lab, loop_seconds):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=150, size=1_000_000)
    pair, link = behind_a_slow_link(lab, path, 0)
    clock = Stopwatch(loop_seconds)
    times, kept = 0, 0
    while clock.running() and size_of(pair.copy) < size_of(path):
        wanted = min(max(0, size_of(pair.copy)) + random.randrange(1, 30_000_000), size_of(path))
        # From where it begins again, and what may be held back in queues.
        link.allow(wanted - kept + 8_000_000)
        until(lambda wanted=wanted: size_of(pair.copy) >= wanted, "the copy to grow", interval=0.0002)
        pair.secondary.kill()
        link.allow(0)
        check_every_committed_byte(path, pair.copy)
        kept = raw_file_storage.committed_end(pair.copy)
        pair.secondary.start()
        times += 1
    assert times > 1
    link.allow()
    pair.until_identical()


def check_every_committed_byte(path, copy):
    """Up to where an opener of the copy would read, it is the primary's file."""
    end = raw_file_storage.committed_end(copy)
    assert same_beginning(path, copy, end), f"differs below {end}"


def test_kill_right_after_an_acknowledged_commit(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    for number in range(5):
        db.put(database, "key", number)
        assert pair.primary.wait() == 0
        pair.secondary.kill()
        assert_prefix(path, pair.copy)
        assert size_of(path) == size_of(pair.copy)
        pair.secondary.start()
        pair.secondary.until_streaming()
    pair.until_identical()
