"""What a database does all day, through a real ZEO server: the copy has the same bytes moments later."""

import transaction
from persistent.mapping import PersistentMapping
from support import database as db
from support.waiting import Stopwatch, until


def test_commits_of_several_threads_through_zeo(lab, loop_seconds):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    clock = Stopwatch(loop_seconds / 2)
    with db.Writers(client, threads=4) as writers:
        until(lambda: not clock.running() and min(writers.commits) > 5, "every thread to commit")
    pair.until_identical()


def test_first_commits_of_a_database_appear_without_any_traffic_behind_them(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    for number in range(5):
        db.put(client, "key", number)
        pair.until_identical(timeout=10)


def test_undo_and_redo(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    for value in ("one", "two", "three"):
        db.put(client, "key", value, note=value)
    pair.until_identical()
    client.undo(client.undoLog(0, 1)[0]["id"])
    transaction.commit()
    assert db.get(client, "key") == "two"
    pair.until_identical()
    client.undo(client.undoLog(0, 1)[0]["id"])
    transaction.commit()
    assert db.get(client, "key") == "three"
    pair.until_identical()


def test_undo_of_the_creation_of_an_object(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    db.put(client, "key", "value")
    with client.transaction("create") as connection:
        connection.root()["object"] = PersistentMapping(a=1)
    client.undo(client.undoLog(0, 1)[0]["id"])
    transaction.commit()
    pair.until_identical()


def test_abort_after_vote(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    db.put(client, "key", "kept")
    for number in range(20):
        db.abort_after_vote(client, "key", b"x" * (100 + 100_000 * (number % 3)))
        if number % 5 == 0:
            db.put(client, "key", f"kept {number}")
    pair.until_identical()
    db.put(client, "key", "the last")
    pair.until_identical()


def test_users_descriptions_and_extensions_of_every_length(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    manager = transaction.TransactionManager()
    connection = database.open(manager)
    for length in (0, 1, 255, 65_535):
        current = manager.get()
        current.user = "u" * length
        current.note("d" * length)
        current.setExtendedInfo("info", "e" * min(length, 65_000))
        connection.root()["length"] = length
        manager.commit()
    connection.close()
    pair.until_identical()
