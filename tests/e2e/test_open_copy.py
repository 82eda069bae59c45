"""ZODB opens the copy: for reading at every instant, for writing never."""

import os

import pytest
from support import database as db
from support.compare import assert_identical
from support.slow_link import behind_a_slow_link
from support.waiting import Stopwatch, rounds, until
from zc.lockfile import LockError
from ZODB.FileStorage import FileStorage


def open_for_reading(path):
    """(last tid, number of objects); every object's current revision is loaded, so that a torn one is noticed."""
    storage = FileStorage(path, read_only=True)
    try:
        for oid in list(storage._index.keys())[-20:]:  # pylint: disable=protected-access
            storage.load(oid)
        return storage.lastTransaction(), len(storage)
    finally:
        storage.close()


def test_reading_the_copy_in_a_loop_during_replication(lab, loop_seconds):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    until(lambda: os.path.exists(pair.copy), "the copy to appear")
    seen = []
    with db.Writers(client, threads=2, sizes=(100, 5_000, 300_000)):
        for _ in rounds(loop_seconds, lambda: len(set(seen)) > 10, "the copy to move while it is read"):
            tid, _ = open_for_reading(pair.copy)
            assert not seen or tid >= seen[-1], "the last transaction went backwards"
            seen.append(tid)
    pair.until_identical()


def test_reading_the_copy_in_a_loop_while_its_sidecar_is_killed(lab, loop_seconds):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    until(lambda: os.path.exists(pair.copy), "the copy to appear")
    clock = Stopwatch(loop_seconds)
    last = b""
    with db.Writers(client, threads=2, sizes=(100, 300_000)):
        while clock.running():
            until(lambda before=last: open_for_reading(pair.copy)[0] > before, "the copy to move")
            pair.secondary.kill()
            tid, _ = open_for_reading(pair.copy)
            assert tid >= last, "the last transaction went backwards"
            last = tid
            pair.secondary.start()
            assert open_for_reading(pair.copy)[0] >= last, "the last transaction went backwards"
    pair.until_identical()


def test_reading_during_a_first_copy(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=100, size=1_000_000)
    pair, link = behind_a_slow_link(lab, path, 1_000_000)
    until(lambda: os.path.exists(pair.copy), "the copy to appear")
    seen = [b""]
    while os.path.getsize(pair.copy) < os.path.getsize(path):
        tid, _ = open_for_reading(pair.copy)
        assert tid >= seen[-1], "the last transaction went backwards"
        seen.append(tid)
        link.allow(2_000_000)
    assert len(set(seen)) > 10
    link.allow()
    pair.until_identical()


def test_opening_the_copy_for_writing_is_refused_by_its_lock(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    with pytest.raises(LockError):
        FileStorage(pair.copy)
    assert_identical(path, pair.copy)
    pair.secondary.stop()
    FileStorage(pair.copy).close()
    assert_identical(path, pair.copy)


def test_a_stopped_copy_is_taken_over_by_a_zeo_server(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=3)
    pair = lab.pair(path)
    pair.until_identical()
    pair.primary.stop()
    pair.secondary.stop()
    assert_identical(path, pair.copy)
    database = db.open_file(pair.copy)
    lab.at_close(database.close)
    assert len(db.get(database, "key-2")) == 1000
    db.put(database, "key", "the first commit after a failover")
