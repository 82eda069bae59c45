"""A secondary keeps its copy's index fresh by itself, and real ZODBs open the copy by it."""

import os
import re
import shutil
import threading

import pytest
from support import database as db
from support.compare import read_bytes
from support.indexes import opened
from support.sidecar import run_zrs
from support.waiting import until


@pytest.fixture(name="zeo_pair")
def _zeo_pair(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path, keys=[("index-interval", "1s")])
    client = lab.client(zeo)
    commits(client, 20)
    pair.until_identical()
    return pair, client


def commits(client, number):
    for count in range(number):
        db.put(client, f"key-{count}", os.urandom(1000))


def until_fresh(pair):
    """The whole copy is in its index, and nobody commits; where the file ends."""
    pair.secondary.until_storage(lambda s: s["index"]["upTo"] == s["committedEnd"] == os.path.getsize(pair.path),
                                 "a fresh index")
    return os.path.getsize(pair.copy)


def assert_opens_without_a_scan(lab, pair, name):
    """A ZODB elsewhere, of file and index as they are."""
    there = lab.path(name, "Data.fs")
    os.makedirs(os.path.dirname(there), exist_ok=True)
    for suffix in (".index", ""):
        shutil.copy(pair.copy + suffix, there + suffix)
    begun, positions, records = opened(there, read_only=True)
    assert begun == [os.path.getsize(there)]
    os.remove(there + ".index")
    assert (positions, records) == opened(there, read_only=True)[1:]
    assert len(positions) > 1


def test_zodb_opens_the_copy_without_a_scan(lab, zeo_pair):
    pair, client = zeo_pair
    until_fresh(pair)
    first = pair.secondary.storage()["index"]
    assert first["time"] and first["lastError"] is None
    assert_opens_without_a_scan(lab, pair, "first")
    commits(client, 5)
    pair.until_identical()
    until_fresh(pair)
    assert pair.secondary.storage()["index"]["time"] > first["time"]
    assert_opens_without_a_scan(lab, pair, "second")
    assert pair.primary.storage()["index"] is None


def test_the_index_of_the_old_file_is_gone_before_a_packed_one_is_in_place(lab, zeo_pair):
    pair, client = zeo_pair
    until_fresh(pair)
    old, old_index = os.stat(pair.copy).st_ino, read_bytes(pair.copy + ".index")
    found = []

    def look():
        replaced = os.stat(pair.copy).st_ino != old
        try:
            index = read_bytes(pair.copy + ".index")
        except FileNotFoundError:
            index = None
        if replaced:
            found.append(index)
        return len(found) > 10

    pack = threading.Thread(target=client.pack)
    pack.start()
    until(look, "the packed file", interval=0)
    pack.join()
    assert old_index not in found
    pair.until_identical()
    until_fresh(pair)
    assert_opens_without_a_scan(lab, pair, "packed")


def test_while_paused_it_stays_as_it_is(zeo_pair):
    pair, client = zeo_pair
    until_fresh(pair)
    assert run_zrs("pause", "--config", pair.secondary.config)[0] == 0
    before = os.stat(pair.copy + ".index")
    commits(client, 5)
    pair.secondary.until_storage(lambda s: s["state"] == "paused" and s["lagBytes"], "a lag")
    assert os.stat(pair.copy + ".index").st_ino == before.st_ino
    assert run_zrs("resume", "--config", pair.secondary.config)[0] == 0
    pair.until_identical()
    until_fresh(pair)
    assert os.stat(pair.copy + ".index").st_ino != before.st_ino


def test_a_promotion_scans_only_the_rest(zeo_pair):
    pair, client = zeo_pair
    fresh = until_fresh(pair)
    commits(client, 3)
    pair.until_identical()
    pair.primary.kill()
    code, _, err = run_zrs("promote", "--config", pair.secondary.config)
    assert code == 0, err
    log = pair.secondary.process.log()
    scanned, begin = map(int, re.findall(r"(\d+) bytes were scanned, from (\d+) on", log)[-1])
    assert begin >= fresh > 4
    assert begin + scanned == os.path.getsize(pair.copy)
    assert opened(pair.copy, read_only=True)[0] == [os.path.getsize(pair.copy)]
