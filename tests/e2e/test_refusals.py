"""What must not be followed is refused, with a reason and a remedy, and both files stay as they are."""

import os
import re
import shutil

import pytest
from support import config
from support import database as db
from support import raw_file_storage
from support.compare import read_bytes
from support.ports import free_address
from support.refusal import Unchanged, assert_explained
from support.waiting import until


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))


def test_another_database_is_refused(lab):
    pair = lab.synced_pair()
    other_path = lab.path("other-data", "Data.fs")
    db.fill(other_path, commits=50)
    address = free_address()
    lab.sidecar("other", config.primary(other_path, address)).start()
    pair.secondary.stop()
    files = Unchanged(pair.path, other_path, pair.copy)
    pair.secondary.configure(config.secondary(pair.copy, address))
    pair.secondary.start()
    assert_explained(pair.secondary.until_refused())
    files.check()
    # Its own database is still the one that it follows.
    pair.secondary.stop()
    pair.secondary.configure(config.secondary(pair.copy, pair.address))
    pair.secondary.start()
    database = db.open_file(pair.path)
    db.put(database, "key", "value")
    database.close()
    pair.until_identical()


def test_a_copy_whose_last_transaction_has_other_bytes_is_refused(lab):
    pair = lab.synced_pair()
    path = pair.path
    pair.secondary.stop()
    offset, _, _, length = raw_file_storage.transactions(pair.copy)[-1]
    flip_byte(pair.copy, offset + length - 30)
    files = Unchanged(path, pair.copy)
    pair.secondary.start()
    assert_explained(pair.secondary.until_refused())
    files.check()


def test_other_bytes_above_the_states_lower_bound_are_found_by_the_primary(lab):
    pair = lab.synced_pair()
    path = pair.path
    pair.secondary.stop()
    state = lab.path("saved-state")
    shutil.copytree(pair.secondary.state_dir, state)
    pair.secondary.start()
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", b"x" * 10_000)
    pair.until_identical()
    pair.secondary.stop()
    # As if it had been killed before it noted the last position: nothing but the primary can know better.
    shutil.rmtree(pair.secondary.state_dir)
    shutil.copytree(state, pair.secondary.state_dir)
    offset, _, _, length = raw_file_storage.transactions(pair.copy)[-1]
    flip_byte(pair.copy, offset + length - 30)
    files = Unchanged(path, pair.copy)
    pair.secondary.start()
    assert_explained(pair.secondary.until_refused())
    db.put(database, "key", "still alive")
    assert pair.primary.wait(timeout=1) == 1
    files.check(pair.copy)


def test_a_follower_ahead_of_its_primary_is_refused(lab):
    pair = lab.synced_pair()
    path = pair.path
    pair.primary.stop()
    # The primary's host goes back to a snapshot: file and state of the same moment.
    snapshot = lab.path("snapshot", "Data.fs")
    shutil.copy(path, snapshot)
    shutil.copytree(pair.primary.state_dir, lab.path("snapshot", "state"))
    pair.primary.start()
    database = db.open_file(path)
    db.put(database, "key", "committed, replicated, and lost at the primary")
    database.close()
    pair.until_identical()
    pair.primary.stop()
    shutil.copy(snapshot, path)
    shutil.rmtree(pair.primary.state_dir)
    shutil.copytree(lab.path("snapshot", "state"), pair.primary.state_dir)
    files = Unchanged(path, pair.copy)
    pair.primary.start()
    assert_explained(pair.secondary.until_refused())
    files.check()
    assert os.path.getsize(pair.copy) > os.path.getsize(path)


def test_a_primary_file_that_went_back_behind_what_its_sidecar_noted_is_not_served(lab):
    pair = lab.synced_pair()
    path = pair.path
    pair.primary.stop()
    offset = raw_file_storage.transactions(path)[-3][0]
    os.truncate(path, offset)
    files = Unchanged(path, pair.copy)
    pair.primary.start()
    assert_explained(pair.primary.until_refused())
    files.check()


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_a_second_sidecar_on_the_same_file_is_refused(lab, role):
    pair = lab.synced_pair()
    path = pair.path
    if role == "primary":
        section = config.primary(path, free_address())
    else:
        section = config.secondary(pair.copy, pair.address)
    second = lab.sidecar("second", section)
    second.process.start()
    assert_second_is_refused(second)
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", "the first ones go on")
    pair.until_identical()


def assert_second_is_refused(second):
    """It ends at once, or it stays and says of the storage that it cannot have the file."""
    until(lambda: not second.process.running() or second.try_status(), "the second sidecar to end or answer")
    if second.process.running():
        assert_explained(second.until_refused())
    else:
        assert second.process.exit_code() not in (0, -6, -11)
        assert "Data.fs" in second.process.log()


@pytest.mark.parametrize("position", [15, 16, -1], ids=["length", "status", "redundant-length"])
def test_a_damaged_primary_file_is_reported_and_nothing_damaged_is_copied(lab, position):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=20)
    offset, _, _, length = raw_file_storage.transactions(path)[10]
    flip_byte(path, offset + position % length)
    files = Unchanged(path)
    pair = lab.pair(path)
    storage = pair.primary.until_refused()
    assert_explained(storage)
    assert re.search(rf"\b{offset + position % length}\b|\b{offset}\b|\b{offset + length - 8}\b",
                     storage["error"]["message"])
    files.check()
    if os.path.exists(pair.copy):
        assert read_bytes(path)[:offset].startswith(read_bytes(pair.copy))
