"""Data files and state files that are not what they should be: told with their path, a reason and a remedy, and left
as they are."""

import json
import os

import pytest
from support import config
from support import database as db
from support import raw_file_storage
from support.ports import free_address
from support.refusal import Unchanged, assert_explained
from support.sidecar import run_zrs
from support.users import sidecar_of_nobody


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def forbid(path):
    db.fill(path)
    os.chmod(path, 0)


_NO_FILE = {
    "missing": (lambda path: None, "No such file"),
    "unreadable": (forbid, "Permission denied"),
    "empty": (lambda path: write(path, b""), "empty so far"),
    "part of the magic": (lambda path: write(path, b"FS3"), "empty so far"),
    "directory": (os.mkdir, "not a regular file"),
    "pipe": (os.mkfifo, "not a regular file"),
    "something else": (lambda path: write(path, b"SQLite format 3\0" * 100), "not a FileStorage"),
    "zeros": (lambda path: write(path, bytes(10_000)), "not a FileStorage"),
}
_WAITED_FOR = ("missing", "unreadable", "empty", "part of the magic")


def primary_of(lab, path):
    """As a user whom permissions concern."""
    return sidecar_of_nobody(lab, "primary", config.primary(path, free_address()))


@pytest.mark.parametrize("kind", _NO_FILE)
def test_a_primary_of_what_is_no_file_storage(lab, kind):
    path = lab.path("primary-data", "Data.fs")
    make, reason = _NO_FILE[kind]
    make(path)
    files = Unchanged(os.path.dirname(path)) if kind != "pipe" else Unchanged()
    primary = primary_of(lab, path).start()
    storage = primary.until_storage(lambda s: s["error"], "an error")
    assert_explained(storage, path, reason)
    assert storage["state"] == ("starting" if kind in _WAITED_FOR else "stopped")
    assert primary.wait(timeout=1) != 0
    files.check()
    primary.stop()
    files.check()


@pytest.mark.parametrize("kind", ["missing", "unreadable", "empty", "part of the magic"])
def test_a_primary_whose_file_is_mended_goes_on_by_itself(lab, kind):
    path = lab.path("primary-data", "Data.fs")
    _NO_FILE[kind][0](path)
    primary = primary_of(lab, path).start()
    primary.until_storage(lambda s: s["error"], "an error")
    if os.path.exists(path):
        os.remove(path)
    db.fill(path)
    os.chmod(path, 0o644)
    storage = primary.until_storage(lambda s: s["committedEnd"] == os.path.getsize(path), "the whole file")
    assert storage["error"] is None


@pytest.mark.parametrize("kind", ["empty", "part of the magic", "directory", "something else", "zeros"])
def test_a_secondary_whose_copy_was_made_something_else(lab, kind):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    os.remove(pair.copy)
    _NO_FILE[kind][0](pair.copy)
    files = Unchanged(pair.copy, path)
    pair.secondary.start()
    assert_explained(pair.secondary.until_state("stopped"), pair.copy, "nothing was changed")
    files.check()


@pytest.mark.parametrize("kind", ["empty", "directory", "something else"])
def test_a_secondary_in_a_place_that_is_taken(lab, kind):
    copy = lab.path("copy", "Data.fs")
    _NO_FILE[kind][0](copy)
    files = Unchanged(copy)
    secondary = lab.sidecar("secondary", config.secondary(copy, free_address())).start()
    assert_explained(secondary.until_state("stopped"), copy)
    files.check()


def test_a_copy_on_a_disk_that_is_not_mounted(lab):
    """What a link leads to is not there: no new copy takes the link's place."""
    path, disk = lab.path("primary-data", "Data.fs"), lab.path("disk", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    os.rename(pair.copy, disk)
    os.symlink(disk, pair.copy)
    pair.secondary.start().until_streaming()
    pair.secondary.stop()
    os.rename(disk, disk + ".away")
    pair.secondary.start()
    assert_explained(pair.secondary.until_state("stopped"), pair.copy, "a symbolic link that leads to nothing")
    assert os.path.islink(pair.copy) and not os.path.exists(disk)
    pair.secondary.stop()
    os.rename(disk + ".away", disk)
    pair.secondary.start().until_streaming()
    assert os.path.islink(pair.copy)
    pair.until_identical()


def test_a_secondary_whose_directory_is_not_there(lab):
    copy = os.path.join(lab.directory, "none", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, free_address())).start()
    assert_explained(secondary.until_state("stopped"), os.path.dirname(copy), "No such file or directory")
    assert not os.path.exists(os.path.dirname(copy))


def test_garbage_behind_a_primarys_file(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    end = os.path.getsize(path)
    with open(path, "ab") as file:
        file.write(b"garbage " * 100)
    files = Unchanged(path)
    primary = lab.sidecar("primary", config.primary(path, free_address())).start()
    assert_explained(primary.until_state("stopped"), path, f"offset {end}", "zrs verify",
                     "then restart zrs")
    files.check()


def test_garbage_behind_a_copy_is_saved_before_it_is_cut(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    with open(pair.copy, "ab") as file:
        file.write(b"garbage " * 100)
    pair.secondary.start()
    pair.until_identical()
    with open(pair.copy + ".tr0", "rb") as file:
        assert file.read() == b"garbage " * 100
    assert "saved to " + pair.copy + ".tr0" in pair.secondary.process.log()


def test_a_primarys_file_that_ends_within_its_last_transaction(lab):
    """Served up to there; what is missing is said once nobody writes."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    offset, _, _, length = raw_file_storage.transactions(path)[-1]
    os.truncate(path, offset + length - 9)
    files = Unchanged(path)
    pair = lab.pair(path)
    storage = pair.primary.until_storage(lambda s: s["error"], "an error")
    assert_explained(storage, path, f"the transaction at {offset}", "zrs verify")
    assert storage["committedEnd"] == offset
    files.check()
    code, out, _ = run_zrs("verify", path)
    text = " ".join(out.split())
    assert code == 0 and f"uncommitted {length - 9} bytes" in text and "marked as finished" in text, out


def test_decreasing_tids_are_followed_with_a_warning(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    with open(path, "ab") as file:
        position = file.tell()
        file.write(raw_file_storage.transaction(position, 1 << 40, [b"by a clock that was set back"]))
    pair = lab.pair(path)
    pair.until_identical()
    pair.primary.process.until_logged("not above the one before")
    assert path in pair.primary.process.log() and "1 transaction(s)" in pair.primary.process.log()
    assert pair.secondary.storage()["error"] is None
    assert pair.primary.wait() == 0


# The state file.

def state_file(sidecar):
    return os.path.join(sidecar.state_dir, "main.state")


def edited(**changes):
    def edit(path):
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        assert set(changes) <= set(state)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(state, **changes), file)
    return edit


def cut_in_half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def as_directory(path):
    os.remove(path)
    os.mkdir(path)


_STATES = {
    "empty": (lambda path: os.truncate(path, 0), ""),
    "cut": (cut_in_half, ""),
    "garbage": (lambda path: write(path, bytes(range(256)) * 10), ""),
    "not UTF-8": (lambda path: write(path, b'{"version": 1, "path": "\xff\xfe garbage \x1b[31m'), "state file"),
    "not ours": (lambda path: write(path, b'{"some": "other JSON"}'), ""),
    "a directory": (as_directory, ""),
    "of a later version": (edited(version=99), "version"),
    "of another machine": (edited(machineId="0123"), "another machine"),
    "of another path": (edited(path="/elsewhere/Data.fs"), "/elsewhere/Data.fs"),
}


@pytest.mark.parametrize("role", ["primary", "secondary"])
@pytest.mark.parametrize("kind", _STATES)
def test_a_state_file_that_cannot_be_trusted(lab, kind, role):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    sidecar = getattr(pair, role)
    sidecar.stop()
    damage, reason = _STATES[kind]
    damage(state_file(sidecar))
    files = Unchanged(path, pair.copy, state_file(sidecar))
    sidecar.start()
    storage = sidecar.until_state("stopped")
    assert_explained(storage, state_file(sidecar), reason)
    assert storage["error"]["message"].isprintable()
    assert "\033" not in sidecar.process.log() and "\ufffd" not in sidecar.process.log()
    sidecar.stop()
    files.check()


def test_a_secondary_without_its_state_proves_its_copy_and_leaves_it_as_it_is(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    os.remove(state_file(pair.secondary))
    files = Unchanged(path, pair.copy)
    pair.primary.stop()
    pair.secondary.start()
    storage = pair.secondary.until_storage(lambda s: s["error"], "that there is nobody to compare it with")
    assert storage["state"] == "proving"
    assert_explained(storage, pair.copy, pair.address)
    pair.primary.start()
    pair.secondary.until_streaming()
    files.check()


def test_a_state_of_the_other_role(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    pair.primary.stop()
    files = Unchanged(path, pair.copy)
    pair.secondary.configure(config.primary(pair.copy, free_address()))
    pair.secondary.start()
    assert_explained(pair.secondary.until_state("stopped"), state_file(pair.secondary), "secondary's copy")
    files.check()
