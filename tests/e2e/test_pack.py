"""A pack gives the primary another file: the secondaries follow it, and keep the old one as ZODB does."""

import os
import shutil
import subprocess
import sys

import pytest
import transaction
import ZODB
import ZODB.FileStorage
from persistent.mapping import PersistentMapping
from support import config
from support import database as db
from support.compare import assert_identical, is_identical, read_bytes, size_of, until_identical
from support.ports import free_address
from support.sidecar import run_zrs
from support.slow_link import behind_a_slow_link
from support.waiting import rounds, until
from ZODB.Connection import TransactionMetaData
from ZODB.serialize import ObjectWriter


def commits(client, number, size=10_000):
    for count in range(number):
        db.put(client, "key", b"x" * size + bytes([count % 256]))


def same_epoch(*sidecars):
    return len({sidecar.storage()["epoch"] for sidecar in sidecars}) == 1


def until_followed(pair, *others):
    """All have the primary's present file, in its epoch, and are healthy; others are (sidecar, path of its copy)."""
    copies = [(pair.secondary, pair.copy), *others]
    until(lambda: all(is_identical(pair.path, path) for _, path in copies)
          and same_epoch(pair.primary, *(sidecar for sidecar, _ in copies)),
          lambda: f"the pack to be followed; {[sidecar.storage() for sidecar, _ in copies]}\n"
                  f"{pair.secondary.process.log_tail()}\n{pair.primary.process.log_tail()}", timeout=60)
    for sidecar, path in [(pair.primary, pair.path), *copies]:
        sidecar.until_storage(lambda s: s["state"] == "streaming" and not s["error"], "streaming without an error")
        assert not os.path.exists(path + ".zrs-new")


@pytest.fixture(name="zeo_pair")
def _zeo_pair(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    commits(client, 20)
    pair.until_identical()
    return pair, client


def test_a_pack_through_zeo_is_followed(zeo_pair):
    pair, client = zeo_pair
    before = pair.secondary.storage()
    old = read_bytes(pair.copy)
    client.pack()
    until_followed(pair)
    after = pair.secondary.storage()
    assert after["epoch"] != before["epoch"]
    assert after["databaseId"] == before["databaseId"]
    assert size_of(pair.copy) < len(old)
    assert read_bytes(pair.copy + ".old") == old == read_bytes(pair.path + ".old")
    commits(client, 5)
    pair.until_identical()
    assert pair.primary.wait() == 0


def test_zeopack(lab, zeo_pair):
    """The command that administrators run."""
    pair, _ = zeo_pair
    port = lab.path("zeo", "zeo.conf")
    with open(port, encoding="utf-8") as file:
        address = next(line.split()[1] for line in file if line.strip().startswith("address"))
    zeopack = os.path.join(os.path.dirname(sys.executable), "zeopack")
    done = subprocess.run([zeopack, address], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    until_followed(pair)


def test_what_is_committed_during_all_this_arrives_afterwards(zeo_pair):
    pair, client = zeo_pair
    with db.Writers(client, threads=2) as writers:
        for _ in range(3):
            count = writers.total()
            until(lambda count=count: writers.total() > count + 30, "commits")
            client.pack()
    until_followed(pair)


def test_a_zodb_reads_the_new_copy(lab, zeo_pair):
    pair, client = zeo_pair
    db.put(client, "late", "before the pack")
    client.pack()
    db.put(client, "later", "behind the pack")
    until_followed(pair)
    shutil.copy(pair.copy, lab.path("reader", "Data.fs"))
    reader = ZODB.DB(ZODB.FileStorage.FileStorage(lab.path("reader", "Data.fs"), read_only=True))
    assert db.get(reader, "late") == "before the pack"
    assert db.get(reader, "later") == "behind the pack"
    reader.close()


def test_packs_in_quick_succession(zeo_pair):
    pair, client = zeo_pair
    for _ in range(5):
        commits(client, 3)
        client.pack()
    until_followed(pair)


def test_a_pack_while_the_first_is_being_copied(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=30, size=1_000_000)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair, link = behind_a_slow_link(lab, path, os.path.getsize(path) + 10_000_000)
    pair.until_identical()
    old = read_bytes(pair.copy)
    db.put(database, "key-0", "gone")
    database.pack()
    until(lambda: size_of(pair.copy + ".zrs-new") > 1_000_000, "the new file to grow")
    epoch = pair.primary.storage()["epoch"]
    db.put(database, "key-1", "gone")
    database.pack()
    pair.primary.until_storage(lambda s: s["epoch"] != epoch, "the second pack to be noticed")
    assert read_bytes(pair.copy)[:len(old)] == old, "the live copy stays"
    link.allow()
    until_followed(pair)


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("packs", [1, 3])
@pytest.mark.parametrize("behind", [0, 3])
def test_packs_while_nobody_is_connected(zeo_pair, behind, packs, end):
    pair, client = zeo_pair
    getattr(pair.secondary, end)()
    commits(client, behind)
    for _ in range(packs):
        epoch = pair.primary.storage()["epoch"]
        client.pack()
        pair.primary.until_storage(lambda s, epoch=epoch: s["epoch"] != epoch and s["state"] == "streaming",
                                   "the next epoch")
        commits(client, 3)
    pair.secondary.start()
    until_followed(pair)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_pack_while_the_primarys_sidecar_is_down(zeo_pair, end):
    pair, client = zeo_pair
    commits(client, 3)
    pair.until_identical()
    getattr(pair.primary, end)()
    commits(client, 3)
    client.pack()
    commits(client, 3)
    pair.primary.start()
    until_followed(pair)


def test_a_follower_that_lags_when_the_pack_happens(zeo_pair):
    pair, client = zeo_pair
    pair.secondary.stop()
    commits(client, 10)
    epoch = pair.primary.storage()["epoch"]
    client.pack()
    pair.primary.until_storage(lambda s: s["epoch"] != epoch, "the next epoch")
    pair.secondary.start()
    until_followed(pair)


def test_a_pack_that_drops_the_very_last_transaction(lab):
    """It stored an object that nothing refers to, and nothing is committed after it."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=10, size=1000)
    storage = ZODB.FileStorage.FileStorage(path)
    lab.at_close(storage.close)
    pair = lab.pair(path)
    pair.until_identical()
    meta = TransactionMetaData()
    storage.tpc_begin(meta)
    storage.store(storage.new_oid(), b"\0" * 8, ObjectWriter().serialize(PersistentMapping(garbage=1)), "", meta)
    storage.tpc_vote(meta)
    storage.tpc_finish(meta)
    last = storage.lastTransaction()
    pair.until_identical()
    database = ZODB.DB(storage)
    database.pack()
    until_followed(pair)
    assert last not in [record.tid for record in storage.iterator()]
    with database.transaction() as connection:
        connection.root()["more"] = 1
    pair.until_identical()


def test_a_chain_follows(lab):
    zeo = lab.zeo()
    client = lab.client(zeo)
    commits(client, 20)
    middle_address = free_address()
    address = free_address()
    copies = [lab.path("middle", "Data.fs"), lab.path("last", "Data.fs")]
    primary = lab.sidecar("primary-zrs", config.primary(zeo.path, address)).start()
    middle = lab.sidecar("middle-zrs", config.secondary(copies[0], address, serve_on=middle_address)).start()
    last = lab.sidecar("last-zrs", config.secondary(copies[1], middle_address)).start()
    until_identical(zeo.path, *copies)
    client.pack()
    commits(client, 3)
    until_identical(zeo.path, *copies)
    until(lambda: same_epoch(primary, middle, last), "all to be in the pack's epoch")


def test_a_reader_that_stayed_open_finds_the_rest_after_reopening(zeo_pair):
    pair, client = zeo_pair
    reader = ZODB.FileStorage.FileStorage(pair.copy, read_only=True)
    tid = reader.lastTransaction()
    client.pack()
    commits(client, 2)
    until_followed(pair)
    assert reader.lastTransaction() == tid
    reader.close()
    reader = ZODB.FileStorage.FileStorage(pair.copy, read_only=True)
    assert reader.lastTransaction() > tid
    reader.close()


def test_the_new_copy_is_opened_as_the_old_one_was(zeo_pair):
    pair, client = zeo_pair
    os.chmod(pair.copy, 0o604)
    client.pack()
    until_followed(pair)
    assert os.stat(pair.copy).st_mode & 0o777 == 0o604


def test_killed_at_any_instant_of_a_rebuild(lab, loop_seconds):
    """kill -9 of either side again and again while packs are followed."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=30, size=300_000)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair = lab.pair(path)
    done = 0
    for _ in rounds(loop_seconds, lambda: done > 1, "two rounds"):
        until_followed(pair)
        db.put(database, f"key-{done % 30}", "gone")
        old = read_bytes(path)
        database.pack()
        victim = (pair.secondary, pair.primary)[done % 2]
        new = pair.copy + ".zrs-new"
        wanted = (done * 700_000) % 9_000_000
        until(lambda: size_of(new) > wanted or size_of(pair.copy) == size_of(path), "the new file to grow",
              interval=0.0005)
        victim.kill()
        live = read_bytes(pair.copy)
        assert old.startswith(live) or read_bytes(path).startswith(live)
        victim.start()
        done += 1
    until_followed(pair)


# ---- What is no pack


def restore(backup, path, how):
    if how == "rename":
        shutil.copy(backup, path + ".restored")
        os.rename(path + ".restored", path)
    else:
        shutil.copyfile(backup, path)


@pytest.mark.parametrize("sidecar", ["up", "down"])
@pytest.mark.parametrize("how", ["rename", "in place"])
def test_an_older_backup_is_diverged_and_nothing_is_overwritten(lab, how, sidecar):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=20)
    shutil.copy(path, path + ".backup")
    database = db.open_file(path)
    db.put(database, "key-3", "what the backup does not have")
    database.close()
    pair = lab.pair(path)
    pair.until_identical()
    before = read_bytes(pair.copy)
    if sidecar == "down":
        pair.primary.stop()
    restore(path + ".backup", path, how)
    if sidecar == "down":
        pair.primary.start()
    for each in (pair.primary, pair.secondary):
        error = each.until_state("diverged")["error"]
        assert "nor a pack of it" in error["message"]
        assert error["remedy"]
        assert run_zrs("health", "--config", each.config, "--service", "main")[0] == 1
    assert read_bytes(pair.copy) == before
    assert not os.path.exists(pair.copy + ".old")
    # It goes on being written, which does not make it right.
    database = db.open_file(path)
    db.put(database, "key-4", "another future")
    database.close()
    pair.primary.until_state("diverged")
    assert read_bytes(pair.copy) == before
    # Until the right one is back.
    restore(pair.copy, path, how)
    pair.until_identical()
    pair.primary.until_streaming()
    pair.secondary.until_streaming()
    assert read_bytes(pair.copy) == before


@pytest.mark.parametrize("sidecar", ["up", "down"])
@pytest.mark.parametrize("what", ["emptied", "removed", "a new database"])
def test_a_file_that_is_gone_leaves_the_copy(lab, what, sidecar):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=20)
    pair = lab.pair(path)
    pair.until_identical()
    before = read_bytes(pair.copy)
    if sidecar == "down":
        pair.primary.stop()
    if what == "emptied":
        os.truncate(path, 0)
    else:
        os.remove(path)
    if what == "a new database":
        for extra in (".index", ".lock", ".tmp"):
            if os.path.exists(path + extra):
                os.remove(path + extra)
        db.fill(path, commits=3)
    if sidecar == "down":
        pair.primary.start()
    pair.primary.until_storage(lambda s: s["error"], "an error")
    if what == "a new database":
        pair.primary.until_state("diverged")
        pair.secondary.until_state("diverged")
    assert run_zrs("health", "--config", pair.primary.config, "--service", "main")[0] == 1
    assert read_bytes(pair.copy) == before
    shutil.copy(pair.copy, path + ".back")
    os.rename(path + ".back", path)
    pair.primary.until_streaming()
    pair.secondary.until_streaming()
    assert_identical(path, pair.copy)


def test_a_stopped_rebuild_goes_on_where_it_was(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=100, size=1_000_000)
    database = db.open_file(path)
    lab.at_close(database.close)
    pair, link = behind_a_slow_link(lab, path, os.path.getsize(path) + 40_000_000)
    pair.until_identical()
    db.put(database, "key-0", "gone")
    database.pack()
    # What is not durable is cut off at the end.
    pair.secondary.until_storage(lambda s: s["progress"] and s["progress"]["bytes"] > 30_000_000, "a part of it")
    pair.secondary.stop()
    part, sent = size_of(pair.copy + ".zrs-new"), link.from_target
    assert 30_000_000 < part < size_of(path)
    link.allow()
    pair.secondary.start()
    until_followed(pair)
    assert link.from_target - sent < size_of(path) - part + 5_000_000, "what was there came again"


def test_the_process_can_be_stopped_while_it_rebuilds(zeo_pair):
    pair, client = zeo_pair
    with db.Writers(client, threads=2):
        client.pack()
        pair.secondary.stop()
    pair.secondary.start()
    until_followed(pair)
    transaction.abort()
