"""Transactions and objects of every size."""

import os
import random

import pytest
import transaction
from persistent.mapping import PersistentMapping
from support import database as db

MEGABYTE = 1_000_000
# What a sidecar may take, whatever a transaction's size: a few times its largest queue.
MEMORY_LIMIT = 100 * MEGABYTE


def test_commits_of_every_size_from_a_hundred_bytes_to_ten_megabytes(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    size = 100
    while size <= 10 * MEGABYTE:
        db.put(client, "key", random.randbytes(size))
        size = size * 5 // 2
    pair.until_identical()


# Around the largest message, the blocks that ZODB writes, and the pages that tear.
@pytest.mark.parametrize("border", [4_096, 65_536, 262_144, 1_048_576])
def test_transactions_of_a_byte_more_and_less_than_a_block(lab, border):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", b"")
    pair = lab.pair(path)
    before = os.path.getsize(path)
    db.put(database, "key", b"x" * 1_000)
    overhead = os.path.getsize(path) - before - 1_000
    for difference in range(-3, 4):
        db.put(database, "key", b"x" * (border - overhead + difference))
    pair.until_identical()


def test_one_transaction_of_three_hundred_megabytes(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", "a small one before")
    pair = lab.pair(path)
    pair.until_identical()
    manager = transaction.TransactionManager()
    connection = database.open(manager)
    connection.root()["large"] = large = PersistentMapping()
    for number in range(100):
        large[number] = PersistentMapping(data=random.randbytes(3 * MEGABYTE))
        if number % 10 == 0:
            manager.savepoint(True)
    manager.commit()
    connection.close()
    assert os.path.getsize(path) > 300 * MEGABYTE
    pair.until_identical(timeout=90)
    db.put(database, "key", "a small one after")
    pair.until_identical()
    assert pair.primary.process.peak_memory() < MEMORY_LIMIT
    assert pair.secondary.process.peak_memory() < MEMORY_LIMIT


def test_one_object_of_a_hundred_megabytes(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    db.put(database, "key", random.randbytes(100 * MEGABYTE))
    pair.until_identical()


def test_many_tiny_transactions(lab):
    path = lab.path("primary-data", "Data.fs")
    database = db.open_file(path)
    lab.at_close(database.close)
    for number in range(2_000):
        db.put(database, "key", number)
    pair = lab.pair(path)
    pair.until_identical()
    for number in range(2_000):
        db.put(database, "key", number)
    pair.until_identical()
