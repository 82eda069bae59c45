"""`zrs index`: real ZODBs take the index, without a scan, and load by it what they would load without it."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess

import pytest
import transaction
import ZODB.FileStorage
from persistent.mapping import PersistentMapping
from support import database as db
from support import raw_file_storage
from support.compare import read_bytes
from support.indexes import assert_good, index, opened, without_index
from support.process import die_with_parent
from support.sidecar import BINARY, run_zrs
from support.waiting import until
from ZODB.Connection import TransactionMetaData
from ZODB.fsIndex import fsIndex
from ZODB.utils import p64, u64

# Files of each kind.

def test_a_database(path):
    written = read_bytes(path + ".index")
    without_index(path)
    found = index(path)
    assert read_bytes(path + ".index") == written
    assert found["objects"] == len(fsIndex.load(path + ".index")["index"])
    assert found["position"] == os.path.getsize(path) == found["scannedBytes"] + 4
    assert found["written"] is True and found["wentOnFrom"] is None
    assert (found["path"], found["index"]) == (path, path + ".index")
    assert_good(path)


def test_for_people(path):
    code, out, err = run_zrs("index", path)
    assert (code, err) == (0, "")
    assert out.startswith(f"{path}.index: written, ") and out.count("\n") == 1
    assert f"position {os.path.getsize(path)}," in out


def test_many_oids_below_many_prefixes(lab):
    path = lab.path("Data.fs")
    storage = ZODB.FileStorage.FileStorage(path)
    oids = [(number * 37) % 3000 << shift for shift in (0, 13, 30, 50) for number in range(700)] + [2 ** 64 - 1]
    tids = {}
    random.shuffle(oids)
    for begin in range(0, len(oids), 50):
        meta = TransactionMetaData()
        storage.tpc_begin(meta)
        for oid in set(oids[begin:begin + 50]):
            storage.store(p64(oid), tids.get(oid, bytes(8)), b"x" * random.randrange(1, 100), "", meta)
        storage.tpc_vote(meta)
        tid = storage.tpc_finish(meta)
        tids.update({oid: tid for oid in oids[begin:begin + 50]})
    storage.close()
    without_index(path)
    assert index(path)["objects"] == len(tids)
    assert_good(path)


def undo_last(database):
    database.undo(database.undoLog(0, 1)[0]["id"])
    transaction.commit()


def test_undone_transactions_and_an_undone_creation(lab):
    path = lab.path("Data.fs")
    db.fill(path, commits=5)
    database = db.open_file(path)
    db.put(database, "key-1", b"changed")
    undo_last(database)
    db.put(database, "created", b"and undone")
    undo_last(database)
    database.close()
    without_index(path)
    index(path)
    assert_good(path)
    # The created object has an entry, and does not exist.
    assert any(isinstance(kind, type) and issubclass(kind, KeyError) for kind in opened(path)[2].values())


def test_a_packed_file(lab):
    path = lab.path("Data.fs")
    database = db.open_file(path)
    for number in range(30):
        db.put(database, f"key-{number % 7}", random.randbytes(500))
    database.pack()
    db.put(database, "after the pack", b"x")
    database.close()
    without_index(path)
    index(path)
    assert_good(path)


def test_a_file_without_transactions(lab):
    path = lab.path("Data.fs")
    ZODB.FileStorage.FileStorage(path).close()
    without_index(path)
    found = index(path)
    assert (found["objects"], found["position"]) == (0, 4)
    assert_good(path, trusted=False)


def test_an_empty_file(lab):
    path = lab.path("Data.fs")
    with open(path, "wb"):
        pass
    code, out, err = run_zrs("index", path)
    assert (code, out) == (1, "")
    assert "the file is empty" in err and path in err
    assert err.count("check the path") == 1
    with open(path, "wb") as file:
        file.write(b"something else")
    code, _, err = run_zrs("index", path)
    assert code == 1 and err.count("check the path") == 1
    assert os.listdir(lab.directory) == ["Data.fs"]


def test_the_magic_of_python_2_gets_what_its_pickler_writes(lab):
    path = lab.path("Data.fs")
    with open(path, "wb") as file:
        file.write(raw_file_storage.MAGIC_PYTHON2 + raw_file_storage.transaction(4, 1 << 60, [b"a" * 100, b"b"]))
    index(path)
    with open(path + ".index", "rb") as file:
        import zodbpickle.pickle  # pylint: disable=import-outside-toplevel
        loaded = [zodbpickle.pickle.load(file, encoding="bytes") for _ in range(3)]
    assert loaded == [os.path.getsize(path), (bytes(6), b"\0\0\0\1" + p64(27)[2:] + p64(27 + 142)[2:]), None]
    assert b"\x80" not in read_bytes(path + ".index")


def test_a_tail_that_is_not_committed(lab, path):
    end = os.path.getsize(path)
    for tail in (raw_file_storage.transaction(end, 1 << 60, [b"x"], status=b"c"),
                 raw_file_storage.transaction(end, 1 << 60, [b"x"])[:-1]):
        copy = lab.path(f"tail-{len(tail)}.fs")
        shutil.copy(path, copy)
        with open(copy, "ab") as file:
            file.write(tail)
        assert index(copy)["position"] == end
        begun, positions, _ = opened(copy, read_only=True)
        assert begun == [end]
        assert positions == opened(path)[1]


# Going on.

def test_an_index_of_zodb_is_gone_on_from(path):
    before = os.path.getsize(path)
    kept = read_bytes(path + ".index")
    database = db.open_file(path)
    for number in range(40):
        db.put(database, f"key-{number % 30}", random.randbytes(100))
    database.close()
    expected = read_bytes(path + ".index")
    with open(path + ".index", "wb") as file:
        file.write(kept)
    found = index(path, "--update")
    assert (found["wentOnFrom"], found["written"]) == (before, True)
    assert found["scannedBytes"] == os.path.getsize(path) - before
    assert read_bytes(path + ".index") == expected
    again = index(path, "--update")
    assert (again["written"], again["scannedBytes"]) == (False, 0)
    assert_good(path)


def test_an_index_that_is_not_this_files_is_made_anew(lab, path):
    other = lab.path("other.fs")
    db.fill(other, commits=3, size=777)
    expected = read_bytes(path + ".index")
    for wrong in (read_bytes(other + ".index"), b"no index", expected[:-1]):
        with open(path + ".index", "wb") as file:
            file.write(wrong)
        code, _, err = run_zrs("index", path, "--update")
        assert code == 0
        assert "the index was made from the beginning: " in err
        assert read_bytes(path + ".index") == expected


def test_a_live_writer(lab, path):
    writer = db.open_file(path)
    lab.at_close(writer.close)
    with db.Writers(writer, threads=1) as writers:
        for arguments in ((), ("--update",)) * 5:
            before = writers.total()
            found = index(path, *arguments)
            loaded = fsIndex.load(path + ".index")
            assert found["position"] == loaded["pos"]
            storage = ZODB.FileStorage.FileStorage(path, read_only=True)
            assert storage._used_index == 1  # pylint: disable=protected-access
            storage.close()
            assert writers.total() >= before


def test_a_copy_that_is_being_written(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    pair.until_identical()
    with db.Writers(client, threads=1) as writers:
        for arguments in ((), ("--update",)) * 3:
            before = writers.total()
            found = index(pair.copy, *arguments)
            begun, positions, _ = opened(pair.copy, read_only=True)
            assert begun == [found["position"]] and positions
            until(lambda before=before: writers.total() > before, "a commit")
    pair.until_identical()
    index(pair.copy, "--update")
    begun, positions, _ = opened(pair.copy, read_only=True)
    os.remove(pair.copy + ".index")
    assert begun == [os.path.getsize(pair.copy)]
    assert positions == opened(pair.copy, read_only=True)[1]


# What goes wrong.

def test_a_damaged_file_gets_no_index(path):
    kept = read_bytes(path + ".index")
    offset = raw_file_storage.transactions(path)[5][0]
    with open(path, "r+b") as file:
        file.seek(offset + 16)
        file.write(b"?")
    for arguments in ((), ("--update",)):
        with open(path + ".index", "wb") as file:
            file.write(b"old" if arguments else kept)
        code, out, err = run_zrs("index", path, *arguments)
        assert (code, out) == (1, "")
        assert f"at {offset}: " in err and f"zrs verify {path}" in err
        assert read_bytes(path + ".index") == (b"old" if arguments else kept)
    assert sorted(os.listdir(os.path.dirname(path))) == ["Data.fs", "Data.fs.index", "Data.fs.lock", "Data.fs.tmp"]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
@pytest.mark.parametrize("name", [".index", ".index.zrs-new"])
def test_what_is_no_file_in_its_place_stays(path, make, name):
    without_index(path)
    make(path + name)
    for arguments in ((), ("--update",)):
        code, out, err = run_zrs("index", path, *arguments)
        assert (code, out) == (1, "")
        assert path + name in err and "move it away" in err
    assert os.path.exists(path + name) and not os.path.isfile(path + name)


def test_what_a_killed_one_left_goes(path):
    for name in (".index.zrs-new", ".index.zrs-sort"):
        with open(path + name, "wb") as file:
            file.write(b"left")
    index(path)
    assert_good(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_root_gives_it_to_the_owner_of_the_data_file(path):
    os.chown(path, 65534, 65533)
    os.chmod(path, 0o640)
    without_index(path)
    index(path)
    made = os.stat(path + ".index")
    assert (made.st_uid, made.st_gid, made.st_mode & 0o7777) == (65534, 65533, 0o640)


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe"])
def test_what_is_no_file(lab, kind):
    path = lab.path("it")
    if kind == "directory":
        os.mkdir(path)
    if kind == "pipe":
        os.mkfifo(path)
    code, out, err = run_zrs("index", path)
    assert (code, out) == (1, "") and path in err


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--jsn", "a")])
def test_wrong_usage_is_two(arguments):
    code, out, err = run_zrs("index", *arguments)
    assert code == 2 and out == "" and err


# Long work.

@pytest.fixture(name="large")
def fixture_large(lab):
    """Two million records of ten thousand objects."""
    path = lab.path("large.fs")
    with open(path, "wb") as file:
        file.write(raw_file_storage.MAGIC_PYTHON3)
        end = 4
        for number in range(1, 201):
            data = raw_file_storage.transaction(end, number << 32, [b"x"] * 10_000)
            file.write(data)
            end += len(data)
    return path


def test_bounded_memory(large):
    def limit():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_DATA, (48 << 20, 48 << 20))

    done = subprocess.run([BINARY, "index", large, "--json"], preexec_fn=limit, capture_output=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objects"] == 10_000
    assert os.listdir(os.path.dirname(large)).count("large.fs.index") == 1
    loaded = fsIndex.load(large + ".index")
    last = raw_file_storage.transactions(large)[-1][0]
    assert loaded["pos"] == os.path.getsize(large)
    assert all(position == last + 23 + 43 * u64(oid) for oid, position in loaded["index"].items())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(lab, large, number):
    with open(lab.path("large.fs.index"), "wb") as file:
        file.write(b"old")
    with subprocess.Popen([BINARY, "index", large], preexec_fn=die_with_parent, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        until(lambda: process.poll() is not None or os.path.exists(large + ".index.zrs-new"), "the work to begin")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode in (0, -number)
    assert sorted(os.listdir(lab.directory)) == ["large.fs", "large.fs.index"]
    if process.returncode:
        assert (out, err) == (b"", b"")
        assert read_bytes(large + ".index") == b"old"


def test_a_persistent_mapping_is_loaded_by_it(lab):
    path = lab.path("Data.fs")
    database = db.open_file(path)
    with database.transaction() as connection:
        for number in range(500):
            connection.root()[number] = PersistentMapping(value=number)
    database.close()
    without_index(path)
    index(path)
    database = db.open_file(path)
    with database.transaction() as connection:
        assert [connection.root()[number]["value"] for number in range(500)] == list(range(500))
    database.close()
