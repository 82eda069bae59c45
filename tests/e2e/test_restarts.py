"""Sidecars that start late, stop, and come back."""

import signal

from support import config
from support import database as db
from support.compare import assert_identical, size_of, until_identical
from support.slow_link import behind_a_slow_link
from support.waiting import until


def test_a_secondary_that_is_started_late(lab):
    zeo = lab.zeo()
    client = lab.client(zeo)
    for number in range(50):
        db.put(client, "key", b"x" * 1_000 * number)
    pair = lab.pair(zeo.path)
    db.put(client, "key", "while it copies")
    pair.until_identical()


def test_a_secondary_that_is_started_before_its_primary(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    pair.primary.stop()
    pair.secondary.restart()
    client = lab.client(zeo)
    db.put(client, "key", "value")
    pair.secondary.until_state("connecting")
    pair.primary.start()
    pair.until_identical()


def test_a_primary_sidecar_that_is_started_before_its_database_exists(lab):
    path = lab.path("primary-data", "Data.fs")
    pair = lab.pair(path)
    db.fill(path)
    pair.until_identical()


def test_a_restart_of_the_secondary_under_load(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    with db.Writers(client, threads=2) as writers:
        for _ in range(2):
            before = writers.total()
            until(lambda: writers.total() > before + 20, "commits")
            pair.secondary.restart()
        pair.secondary.until_streaming()
    pair.until_identical()


def test_a_restart_of_the_primary_sidecar_under_load(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    with db.Writers(client, threads=2) as writers:
        for _ in range(2):
            before = writers.total()
            until(lambda: writers.total() > before + 20, "commits")
            pair.primary.restart()
        pair.secondary.until_streaming()
    pair.until_identical()


def test_a_restart_of_the_zeo_server(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = zeo.client()
    db.put(client, "key", "before")
    client.close()
    zeo.stop()
    zeo.start()
    client = lab.client(zeo)
    db.put(client, "key", "after")
    pair.until_identical()


def test_sigterm_ends_both_with_zero_and_the_last_commit_is_on_the_secondary(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    pair.until_identical()
    for number in range(20):
        db.put(database, number, b"x" * 50_000)
    assert pair.primary.process.terminate() == 0
    assert pair.secondary.process.terminate() == 0
    assert_identical(path, pair.copy)


def test_sigterm_ends_a_secondary_that_never_found_its_primary(lab):
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, "127.0.0.1:1"))
    secondary.start()
    secondary.until_state("connecting")
    assert secondary.process.terminate() == 0


def test_sigterm_during_a_first_copy(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=100, size=1_000_000)
    pair, link = behind_a_slow_link(lab, path, 30_000_000)
    until(lambda: size_of(pair.copy) > 1_000_000, "the copy to grow")
    assert pair.secondary.process.terminate() == 0
    assert size_of(pair.copy) < size_of(path)
    link.allow()
    pair.secondary.start()
    pair.until_identical()


def test_a_secondary_that_was_stopped_for_a_while_does_not_hold_up_another(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    other_copy = lab.path("other", "Data.fs")
    other = lab.sidecar("other", config.secondary(other_copy, pair.address)).start()
    pair.secondary.until_streaming()
    other.until_streaming()
    pair.secondary.process.signal(signal.SIGSTOP)
    for number in range(100):
        db.put(database, number % 7, b"x" * 200_000)
    until_identical(path, other_copy)
    pair.secondary.process.signal(signal.SIGCONT)
    pair.until_identical()
