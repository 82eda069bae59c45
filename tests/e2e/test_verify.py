"""`zrs verify`: sound files, damage at each place with its position, and what is not a data file at all."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from support import database as db
from support import raw_file_storage
from support.sidecar import BINARY, run_zrs
from support.terminal import Terminal
from support.waiting import Stopwatch, until
from ZODB.scripts import fstest

_RECORD_HEADER = 42


def verify(path):
    """Exit code and the JSON object."""
    code, out, err = run_zrs("verify", path, "--json")
    assert err == ""
    return code, json.loads(out)


def zodb_finds_it_sound(path):
    try:
        fstest.check(path)
    except (fstest.FormatError, OSError):
        return False
    return True


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


# Sound ones.

def test_a_sound_file(path):
    code, found = verify(path)
    offset, tid, _, length = raw_file_storage.transactions(path)[-1]
    assert code == 0
    assert found["sound"] is True and found["damage"] is None
    assert found["path"] == path
    assert found["size"] == found["committedEnd"] == offset + length == os.path.getsize(path)
    assert found["transactions"] == len(raw_file_storage.transactions(path))
    assert found["records"] >= found["transactions"]
    assert found["lastTid"] == tid.hex()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", found["lastTidTime"])
    assert found["uncommittedBytes"] == found["decreasingTids"] == 0
    assert zodb_finds_it_sound(path)


def test_for_people(path):
    code, out, err = run_zrs("verify", path)
    assert code == 0
    assert out.startswith(f"{path}: sound\n")
    assert raw_file_storage.transactions(path)[-1][1].hex() in out
    assert err == "" and "\033" not in out


def test_a_copy_that_is_being_written(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    pair.until_identical()
    with db.Writers(client, threads=2) as writers:
        for _ in range(20):
            before = writers.total()
            for file in (zeo.path, pair.copy):
                code, found = verify(file)
                assert code == 0, found
                # What is behind that in a copy comes and goes: its room for what is expected next.
                behind = found["uncommittedBytes"] if file == zeo.path else 0
                assert found["committedEnd"] + behind <= os.path.getsize(file)
            until(lambda before=before: writers.total() > before, "a commit")
    pair.until_identical()
    primary, copy = verify(zeo.path)[1], verify(pair.copy)[1]
    assert dict(primary, path="") == dict(copy, path="")
    assert copy["committedEnd"] == raw_file_storage.committed_end(zeo.path) == os.path.getsize(zeo.path)


def test_a_transaction_in_progress_is_no_damage(path):
    end = os.path.getsize(path)
    voted = raw_file_storage.transaction(end, 1 << 60, [b"x" * 500], status=b"c")
    append(path, voted)
    code, found = verify(path)
    assert code == 0
    assert (found["committedEnd"], found["uncommittedBytes"]) == (end, len(voted))
    text = " ".join(run_zrs("verify", path)[1].split())
    assert f"uncommitted {len(voted)} bytes" in text
    assert "behind the last transaction are not committed: harmless while a writer is at work" in text
    assert "no damage" not in text


def test_a_transaction_in_progress_in_the_middle_is_damage(path):
    offset, _, _, length = raw_file_storage.transactions(path)[-2]
    following = os.path.getsize(path) - offset - length
    overwrite(path, offset + 16, b"c")
    code, found = verify(path)
    assert code == 1
    assert (found["damage"]["position"], found["committedEnd"]) == (offset, offset)
    assert found["damage"]["reason"] == f"the transaction is marked as in progress, and {following} bytes follow it"
    assert not zodb_finds_it_sound(path)


@pytest.mark.parametrize("size", [1, 22, 23, 200])
def test_an_incomplete_transaction_is_no_damage(path, size):
    end = os.path.getsize(path)
    append(path, raw_file_storage.transaction(end, 1 << 60, [b"x" * 500])[:size])
    code, found = verify(path)
    assert code == 0
    assert (found["committedEnd"], found["uncommittedBytes"]) == (end, size)


def test_a_clock_that_was_set_back_is_a_warning(path):
    append(path, raw_file_storage.transaction(os.path.getsize(path), 1, [b"x"]))
    code, found = verify(path)
    assert code == 0 and found["sound"] and found["decreasingTids"] == 1
    assert "warning      1 transactions are not newer" in run_zrs("verify", path)[1]


def test_a_file_without_transactions(lab):
    path = lab.path("empty.fs")
    append(path, raw_file_storage.MAGIC_PYTHON3)
    code, found = verify(path)
    assert code == 0
    assert (found["committedEnd"], found["transactions"]) == (4, 0)
    assert found["lastTid"] is None and found["lastTidTime"] is None


# Damaged ones. Each: where it is in transaction `t` (offset, length, first record), the bytes, where it is found.

class Place:
    """A transaction in the middle of a file."""

    def __init__(self, path):
        self.before, (self.offset, _, _, length) = raw_file_storage.transactions(path)[9:11]
        self.end = self.offset + length
        with open(path, "rb") as file:
            file.seek(self.offset)
            head = raw_file_storage.HEADER.unpack(file.read(raw_file_storage.HEADER.size))
        self.record = self.offset + raw_file_storage.HEADER.size + sum(head[3:6])


_DAMAGE = {
    "status": lambda t: (t.offset + 16, b"?", t.offset),
    "no bytes at all": lambda t: (t.offset, bytes(t.end - t.offset), t.offset),
    "length that no file has": lambda t: (t.offset + 8, b"\xff", t.offset),
    "length below its strings": lambda t: (t.offset + 8, bytes(8), t.offset),
    "length of user name": lambda t: (t.offset + 17, b"\xff", t.offset),
    "transaction of a record": lambda t: (t.record + 24, (7).to_bytes(8, "big"), t.record),
    "length of a record": lambda t: (t.record + 34, b"\x01", t.record),
    "redundant length": lambda t: (t.end - 8, bytes(8), t.end - 8),
}


@pytest.mark.parametrize("kind", _DAMAGE)
def test_damage_is_found_where_it_is(path, kind):
    place = Place(path)
    where, data, position = _DAMAGE[kind](place)
    overwrite(path, where, data)
    code, found = verify(path)
    assert code == 1
    assert found["sound"] is False
    assert found["damage"]["position"] == position
    assert found["damage"]["reason"] and found["damage"]["remedy"]
    assert found["committedEnd"] == place.offset
    assert found["lastTid"] == place.before[1].hex()
    assert found["transactions"] == 10
    assert found["uncommittedBytes"] is None
    assert not zodb_finds_it_sound(path)


# A length that is a little wrong: the records give it away, at the latest where the next one would begin.
@pytest.mark.parametrize("change", [-200, -1, 1, 200])
def test_a_length_that_is_a_little_wrong_is_found_within_its_transaction(path, change):
    place = Place(path)
    length = place.end - place.offset - 8 + change
    overwrite(path, place.offset + 8, length.to_bytes(8, "big"))
    code, found = verify(path)
    assert code == 1
    assert place.offset < found["damage"]["position"] <= place.end + change
    assert found["committedEnd"] == place.offset


def test_damage_for_people_has_position_reason_last_transaction_and_next_step(path):
    place = Place(path)
    overwrite(path, place.offset + 16, b"?")
    code, out, err = run_zrs("verify", path)
    assert code == 1 and err == ""
    assert out.startswith(f"{path}: damaged\n")
    assert f"damage       at offset {place.offset}: a transaction has the invalid status '?'\n" in out
    assert f"last sound   {place.before[1].hex()} of 20" in out
    assert f"sound until  offset {place.offset}\n" in out
    words = " ".join(out.split())
    assert "next step leave the file as it is. A secondary's copy: zrs compare there" in words
    assert "zrs resync mends the copy from it" in words


def test_the_part_before_the_damage_is_sound_as_promised(path):
    place = Place(path)
    overwrite(path, place.record + 24, bytes(8))
    end = verify(path)[1]["committedEnd"]
    os.truncate(path, end)
    assert verify(path)[0] == 0
    assert zodb_finds_it_sound(path)


@pytest.mark.parametrize("contents", [b"", b"FS3", b"SQLite format 3\0", bytes(1000)])
def test_what_is_no_file_storage_is_damaged_from_the_start(lab, contents):
    path = lab.path("other")
    append(path, contents)
    code, found = verify(path)
    assert code == 1
    assert (found["damage"]["position"], found["size"]) == (0, len(contents))
    assert found["committedEnd"] is None and found["lastTid"] is None


# What cannot be read.

def assert_refused(path, *words, prefix=(), binary=BINARY):
    done = subprocess.run([*prefix, binary, "verify", path, "--json"], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    for word in (path, *words):
        assert word in done.stderr


def test_a_missing_file(lab):
    assert_refused(lab.path("none.fs"), "No such file", "check the path")


def test_a_directory(lab):
    assert_refused(lab.directory, "not a regular file")


def test_a_pipe_that_nobody_writes(lab):
    path = lab.path("pipe")
    os.mkfifo(path)
    assert_refused(path, "not a regular file")


def test_a_file_that_may_not_be_read(lab, path):
    os.chmod(path, 0)
    prefix, binary = (), BINARY
    if os.geteuid() == 0:
        # The build's own directory may be below one that only its user enters.
        binary = shutil.copy(BINARY, lab.path("zrs-binary"))
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    assert_refused(path, "Permission denied", prefix=prefix, binary=binary)


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--jsn", "a")])
def test_wrong_usage_is_two(arguments):
    code, out, err = run_zrs("verify", *arguments)
    assert code == 2 and out == "" and err


def test_a_result_that_cannot_be_written_is_a_failure(path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "verify", path], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


# The progress line.

_CLEAR = "\r\033[K"
_LINE = r"\rverify +\d+ % \[=* *\] \d+\.\d MB of 4\.\d GB, [\d.]+ [kMG]B/s, \d[^\r\033]* left\033\[K"


@pytest.fixture(name="large")
def fixture_large(lab):
    """Four gigabytes in records that are read, most of it a hole."""
    path = lab.path("large.fs")
    with open(path, "wb") as file:
        file.write(raw_file_storage.MAGIC_PYTHON3)
        size = 12 << 20
        end = 4
        for number in range(1, 360):
            transaction = raw_file_storage.transaction(end, number, [b"x" * 8])
            body = raw_file_storage.HEADER.size + _RECORD_HEADER
            length = body + size
            file.seek(end)
            file.write(transaction[:8] + length.to_bytes(8, "big") + transaction[16:body - 8] + size.to_bytes(8, "big"))
            end += length + 8
            file.seek(end - 8)
            file.write(length.to_bytes(8, "big"))
    return path


def run_slowly(terminal, enough):
    """Lets it run in slices, as on a slow disk, until `enough()`; it must not have ended by then."""
    while not enough():
        terminal.signal(signal.SIGSTOP)
        terminal.read(0.6)
        terminal.signal(signal.SIGCONT)
        assert terminal.read(0.005), f"ended too soon: {terminal.text!r}"


def test_progress_of_long_work_on_a_terminal(lab, large):
    with open(lab.path("out"), "w+", encoding="utf-8") as out:
        terminal = Terminal(BINARY, "verify", large, "--json", out=out)
        lab.at_close(terminal.close)
        run_slowly(terminal, lambda: re.search(_LINE, terminal.text))
        assert terminal.exit_code() == 0
        out.seek(0)
        assert json.load(out)["transactions"] == 359
    assert terminal.text.endswith(_CLEAR)
    # One line, never wider than the terminal.
    assert "\n" not in terminal.text
    assert max(len(line) for line in re.split("\r|\033\\[K", terminal.text)) < 80


def test_short_work_leaves_no_trace_on_a_terminal(lab, path):
    with open(lab.path("out"), "w", encoding="utf-8") as out:
        terminal = Terminal(BINARY, "verify", path, out=out)
        lab.at_close(terminal.close)
        assert terminal.exit_code() == 0
    assert terminal.text == ""


def test_no_progress_where_lines_cannot_be_written_over(lab, large):
    with open(lab.path("out"), "w", encoding="utf-8") as out:
        terminal = Terminal(BINARY, "verify", large, out=out, env={"TERM": "dumb"})
        lab.at_close(terminal.close)
        watch = Stopwatch(1.5)
        run_slowly(terminal, lambda: not watch.running())
        assert terminal.exit_code() == 0
    assert terminal.text == ""


def test_control_c_ends_it_at_once_with_a_clean_line(lab, large):
    with open(lab.path("out"), "w+", encoding="utf-8") as out:
        terminal = Terminal(BINARY, "verify", large, out=out)
        lab.at_close(terminal.close)
        run_slowly(terminal, lambda: re.search(_LINE, terminal.text))
        terminal.signal(signal.SIGSTOP)
        terminal.type(b"\x03")
        terminal.signal(signal.SIGCONT)
        assert terminal.exit_code() == -signal.SIGINT
        out.seek(0)
        assert out.read() == ""
    assert terminal.text.endswith(_CLEAR)
