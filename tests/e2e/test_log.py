"""`zrs log`: what ZODB's own iterator finds, of data files and of the tails that ZODB and zrs save."""

import json
import os
import re
import subprocess

import pytest
import transaction
import ZODB.FileStorage
from support import database as db
from support import raw_file_storage
from support.sidecar import BINARY, run_zrs


def log(path, *arguments, code=0):
    """(the transactions, standard error)."""
    found, out, err = run_zrs("log", path, "--json", *arguments)
    assert found == code, err
    return [json.loads(line) for line in out.splitlines()], err


def zodb_finds(path):
    """The same fields by ZODB."""
    storage = ZODB.FileStorage.FileStorage(path, read_only=True)
    found = [{"tid": each.tid.hex(), "user": each.user.decode(), "description": each.description.decode(),
              "records": len(list(each)), "packed": each.status == "p"} for each in storage.iterator()]
    storage.close()
    return found


def as_zodb(listed):
    return [{"tid": each["tid"], "user": each["user"], "description": each["description"],
             "records": each["records"], "packed": each["status"] == "packed"} for each in listed]


@pytest.fixture(name="noted")
def fixture_noted(lab):
    """A file whose transactions have users and descriptions, some before a pack and some after it."""
    path = lab.path("Data.fs")
    database = db.open_file(path)
    for number in range(12):
        with database.transaction() as connection:
            connection.root()[f"key-{number % 3}"] = number
            transaction.get().setUser(f"user{number}", "/acl_users")
            transaction.get().note("Grüße\nzweite Zeile \\ \"quoted\" \x1b[2J" if number == 5 else f"change {number}")
        if number == 8:
            database.pack()
    database.close()
    return path


def test_what_zodb_lists(noted):
    listed, err = log(noted)
    assert err == ""
    assert as_zodb(listed) == zodb_finds(noted)
    assert {each["status"] for each in listed} == {"complete", "packed"}
    by_hand = raw_file_storage.transactions(noted)
    assert [(each["position"], each["bytes"]) for each in listed] == [(at, size) for at, _, _, size in by_hand]
    assert not any(each["escaped"] for each in listed)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", each["time"]) for each in listed)


def test_for_people(path):
    code, out, err = run_zrs("log", path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    listed, _ = log(path)
    assert len(lines) == len(listed)
    for line, each in zip(lines, listed, strict=True):
        assert line.startswith(f"{each['tid']}  {each['time']}  ")
        assert f" {each['records']} records " in line and f" {each['bytes']} bytes " in line
    assert lines[-1].endswith('"commit 19"')


def test_nothing_for_a_terminal_to_obey(noted):
    for arguments in ((), ("--json",)):
        out = run_zrs("log", noted, *arguments)[1]
        assert all(character.isprintable() for character in out.replace("\n", ""))


def test_a_part_of_it(path):
    listed, _ = log(path)
    tids = [each["tid"] for each in listed]
    assert [each["tid"] for each in log(path, "--from", tids[7])[0]] == tids[7:]
    assert [each["tid"] for each in log(path, "--from", "0x" + tids[7].upper(), "--to", tids[9])[0]] == tids[7:10]
    assert [each["tid"] for each in log(path, "--from", tids[7], "--limit", "1")[0]] == tids[7:8]
    assert log(path, "--from", "f" * 16)[0] == []


@pytest.mark.parametrize("arguments", [("--from", "12"), ("--to", "x" * 16), ("--limit", "0"), ("--limit", "-1"),
                                       ("--from", "2" * 16, "--to", "1" * 16)])
def test_wrong_usage_is_two(path, arguments):
    code, out, err = run_zrs("log", path, *arguments)
    assert code == 2 and out == "" and err


def test_bytes_that_are_no_utf8_and_the_longest_strings(lab):
    path = lab.path("Data.fs")
    with open(path, "wb") as file:
        file.write(raw_file_storage.MAGIC_PYTHON2)
        file.write(raw_file_storage.transaction(4, 1 << 60, [b"x"], user=b"M\xfcller", description=b"d" * 65_535))
    [each], _ = log(path)
    assert (each["user"], each["description"], each["escaped"]) == ("M\\374ller", "d" * 65_535, True)
    out = run_zrs("log", path)[1]
    assert '"M\\374ller"  "ddd' in out and out.endswith('d..."\n') and len(out) < 400


def test_what_is_not_committed_is_told(path):
    end = os.path.getsize(path)
    with open(path, "ab") as file:
        file.write(raw_file_storage.transaction(end, 1 << 60, [b"x"], status=b"c"))
    size = os.path.getsize(path) - end
    listed, err = log(path)
    assert len(listed) == len(raw_file_storage.transactions(path)) - 1
    assert err == f"zrs: {path}: the last {size} bytes, from offset {end} on, are not committed\n"


def test_damage_is_told_behind_what_is_sound(path):
    offset = raw_file_storage.transactions(path)[6][0]
    with open(path, "r+b") as file:
        file.seek(offset + 16)
        file.write(b"?")
    listed, err = log(path, code=1)
    assert len(listed) == 6
    assert f"{path} is damaged at offset {offset}: " in err and f"zrs verify {path}" in err


def test_tails_that_zodb_saved(lab, path):
    end = os.path.getsize(path)
    voted = raw_file_storage.transaction(end, 1 << 60, [b"first", b""], status=b"c", user=b"voter")
    voted += raw_file_storage.transaction(end + len(voted), (1 << 60) + 1, [b"behind it"])
    cut = raw_file_storage.transaction(end, 1 << 60, [b"x" * 500])[:-100]
    for number, tail in enumerate((voted, cut)):
        with open(path, "ab") as file:
            file.write(tail)
        ZODB.FileStorage.FileStorage(path).close()
        assert os.path.getsize(path) == end
        listed, err = log(f"{path}.tr{number}")
        assert f"is a saved tail, which was cut off its data file at {end}\n" in err
        if tail is voted:
            assert [(each["status"], each["user"], each["records"], each["position"]) for each in listed] == [
                ("in progress", "voter", 2, 0), ("complete", "", 1, listed[0]["bytes"])]
        else:
            assert listed == []
            assert f"the last {len(cut)} bytes, from offset 0 on, are no whole transaction" in err
    assert '(in progress)  "voter"' in run_zrs("log", path + ".tr0")[1]


@pytest.mark.parametrize("contents", [b"", b"FS3", b"SQLite format 3\0", bytes(1000), b"text " * 1000])
def test_what_is_neither(lab, contents):
    path = lab.path("other")
    with open(path, "wb") as file:
        file.write(contents)
    code, out, err = run_zrs("log", path)
    assert (code, out) == (1, "")
    assert path in err and "neither a FileStorage nor a saved tail" in err


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe"])
def test_what_is_no_file(lab, kind):
    path = lab.path("it")
    if kind == "directory":
        os.mkdir(path)
    if kind == "pipe":
        os.mkfifo(path)
    code, out, err = run_zrs("log", path)
    assert (code, out) == (1, "") and path in err


def test_a_reader_that_has_seen_enough(lab):
    path = lab.path("Data.fs")
    with open(path, "wb") as file:
        file.write(raw_file_storage.MAGIC_PYTHON3)
        end = 4
        for number in range(1, 30_000):
            data = raw_file_storage.transaction(end, number << 32, [b"x"])
            file.write(data)
            end += len(data)
    with subprocess.Popen([BINARY, "log", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"0000000100000000  ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_a_result_that_cannot_be_written_is_a_failure(path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "log", path], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_a_live_writer(lab, path):
    writer = db.open_file(path)
    lab.at_close(writer.close)
    with db.Writers(writer, threads=1):
        for _ in range(10):
            before = len(raw_file_storage.transactions(path)) - 1
            listed, _ = log(path)
            assert len(listed) >= before
