"""Which database a primary's file is: told by its secondaries where its state was lost, or by a person."""

import json
import os
import shutil

from support import config
from support import database as db
from support.compare import read_bytes, until_identical
from support.ports import free_address
from support.refusal import Unchanged, assert_explained
from support.sidecar import run_zrs


def state_file(sidecar):
    return os.path.join(sidecar.state_dir, "main.state")


def adopt(sidecar, *arguments):
    return run_zrs("adopt", "--config", sidecar.config, *arguments)


def lose_state(pair):
    """The primary's identity; its state is gone, and it is down."""
    before = pair.primary.storage()
    pair.primary.stop()
    os.remove(state_file(pair.primary))
    return before["databaseId"], before["epoch"]


def identity(sidecar):
    storage = sidecar.storage()
    return storage["databaseId"], storage["epoch"]


def test_a_primary_that_has_lost_its_state_is_told_by_its_secondary(lab):
    pair = lab.synced_pair()
    known = lose_state(pair)
    db.fill(pair.path, commits=7)
    inode = os.stat(pair.copy).st_ino
    pair.primary.start()
    pair.secondary.until_storage(lambda s: s["state"] == "streaming" and not s["error"], "that it is followed again")
    pair.until_identical()
    assert pair.primary.wait() == 0
    assert identity(pair.primary) == known == identity(pair.secondary)
    assert pair.primary.storage()["takesIdentity"] is None
    assert os.stat(pair.copy).st_ino == inode, "it was copied again"
    pair.primary.restart()
    assert identity(pair.primary) == known
    assert "has proved that it is database" in pair.primary.process.log()


def test_a_file_that_is_another_takes_no_identity(lab):
    pair = lab.synced_pair()
    known = lose_state(pair)
    size = os.path.getsize(pair.path)
    os.remove(pair.path)
    db.fill(pair.path, commits=60)
    assert os.path.getsize(pair.path) > size
    files = Unchanged(pair.path, pair.copy)
    pair.primary.start()
    storage = pair.secondary.until_storage(lambda s: s["error"] and "are not the same" in s["error"]["message"],
                                           "that they were compared")
    assert_explained(storage, "database", "zrs adopt --new-database")
    assert identity(pair.primary) != known
    assert pair.primary.storage()["takesIdentity"] == "new"
    files.check()


def test_after_an_empty_secondary_was_first_a_person_says_so(lab):
    pair = lab.synced_pair()
    known = lose_state(pair)
    pair.secondary.stop()
    pair.primary.start()
    other_copy = lab.path("other-copy", "Data.fs")
    other = lab.sidecar("other", config.secondary(other_copy, pair.address)).start()
    until_identical(pair.path, other_copy)
    pair.primary.until_storage(lambda s: s["takesIdentity"] is None, "that its identity is known to another")
    pair.secondary.start()
    assert "zrs adopt" in pair.secondary.until_refused()["error"]["remedy"]
    code, _, err = adopt(pair.primary)
    assert code == 1 and "stop them first" in err
    other.stop()
    code, out, err = adopt(pair.primary, "--storage", "main")
    assert code == 0, err
    assert "takes the identity of the first secondary" in out
    pair.secondary.until_streaming()
    assert identity(pair.primary) == known
    # The other one has to be adopted in turn, and is, without a copy.
    os.remove(state_file(other))
    inode = os.stat(other_copy).st_ino
    other.start()
    other.until_streaming()
    assert os.stat(other_copy).st_ino == inode and identity(other) == known


def test_a_database_of_its_own(lab):
    pair = lab.synced_pair()
    known = identity(pair.primary)
    state = read_bytes(state_file(pair.primary))
    code, _, err = adopt(pair.primary, "--new-database")
    assert code == 1 and "it is followed" in err
    pair.secondary.stop()
    code, out, err = adopt(pair.primary, "--new-database")
    assert code == 0, err
    kept = state_file(pair.primary) + "1"
    assert kept in out and json.loads(read_bytes(kept))["databaseId"] == json.loads(state)["databaseId"]
    pair.primary.until_streaming()
    assert identity(pair.primary) != known
    files = Unchanged(pair.copy)
    pair.secondary.start()
    assert_explained(pair.secondary.until_refused())
    files.check()


def test_a_clone_asks_whose_its_state_is(lab):
    """A machine that was cloned with its state: as the one that goes on, and as a database of its own."""
    pair = lab.synced_pair()
    known = identity(pair.primary)
    pair.primary.stop()
    for arguments, same in ([], True), (["--new-database"], False):
        with open(state_file(pair.primary), encoding="utf-8") as file:
            state = json.load(file)
        with open(state_file(pair.primary), "w", encoding="utf-8") as file:
            json.dump(dict(state, machineId="another"), file)
        pair.primary.start()
        assert_explained(pair.primary.until_state("stopped"), "another machine", "zrs adopt")
        code, _, err = adopt(pair.primary, *arguments)
        assert code == 0, err
        pair.primary.until_streaming()
        assert (identity(pair.primary) == known) == same
        if same:
            pair.secondary.until_storage(lambda s: s["state"] == "streaming" and not s["error"], "that it follows")
            pair.primary.stop()


def test_who_is_asked_wrongly(lab):
    pair = lab.synced_pair()
    code, _, err = adopt(pair.secondary)
    assert code == 1 and "it is a secondary" in err
    code, _, err = adopt(pair.primary, "--storage", "nobody")
    assert code == 2 and "no storage nobody" in err
    pair.primary.stop()
    code, _, err = adopt(pair.primary)
    assert code == 1 and pair.primary.admin_socket in err


def test_a_clone_of_the_primary_does_not_draw_its_secondaries_away(lab):
    """A copy of the primary's file on another host, without a state, beside the right primary."""
    pair = lab.synced_pair()
    known = identity(pair.primary)
    clone = lab.path("clone", "Data.fs")
    shutil.copy(pair.path, clone)
    address = free_address()
    cloned = lab.sidecar("cloned", config.primary(clone, address)).start()
    pair.secondary.stop()
    pair.secondary.configure(config.secondary(pair.copy, f"{address} {pair.address}"))
    pair.secondary.start()
    pair.secondary.until_streaming()
    assert pair.secondary.storage()["upstream"]["address"] == pair.address
    pair.primary.stop()
    pair.secondary.until_storage(lambda s: s["error"], "that nobody can be followed")
    assert identity(cloned) != known
    assert cloned.storage()["takesIdentity"] == "new"


def restore_backup(lab):
    """A pair whose primary's file was exchanged for a backup, and what the copy has."""
    pair = lab.synced_pair()
    backup = lab.path("backup", "Data.fs")
    shutil.copy(pair.path, backup)
    database = db.open_file(pair.path)
    for number in range(3):
        db.put(database, f"newer-{number}", "x" * 300, "newer than the backup")
    database.close()
    pair.until_identical()
    newer = read_bytes(pair.path)
    return pair, backup, newer


def put_backup(pair, backup):
    shutil.copy(backup, pair.path)
    os.remove(pair.path + ".index")


def resync_and_go_on(pair, backup, newer):
    inode = os.stat(pair.copy).st_ino
    pair.secondary.until_storage(lambda s: s["divergence"], "that the two were compared")
    code, out, err = run_zrs("resync", "--config", pair.secondary.config, "--dry-run")
    assert code == 0 and out.count("newer than the backup") == 4, out + err  # the first one twice
    code, out, err = run_zrs("resync", "--config", pair.secondary.config)
    assert code == 0, err
    pair.secondary.until_streaming()
    db.fill(pair.path, commits=2)
    pair.until_identical()
    assert os.stat(pair.copy).st_ino == inode, "it was copied again"
    assert read_bytes(backup) + read_bytes(pair.copy + ".tr0") == newer


def test_going_on_from_a_restored_backup_keeps_what_only_the_copy_has(lab):
    """As the primary's remedy says: nothing is copied anew, and what is given up is listed and saved first."""
    pair, backup, newer = restore_backup(lab)
    known = identity(pair.primary)
    code, _, err = adopt(pair.primary, "--restored")
    assert code == 1 and "stop them first" in err, err
    put_backup(pair, backup)
    remedy = pair.primary.until_state("diverged")["error"]["remedy"]
    assert "zrs adopt --restored --storage main" in remedy and "zrs resync" in remedy
    pair.secondary.until_state("diverged")
    code, out, err = adopt(pair.primary, "--restored", "--storage", "main")
    assert code == 0 and "generation 2" in out, out + err
    pair.primary.until_streaming()
    pair.secondary.until_storage(lambda s: "--restored" in (s["error"] or {}).get("message", ""), "that it is told")
    resync_and_go_on(pair, backup, newer)
    assert identity(pair.primary)[0] == known[0]


def test_going_on_from_a_restored_backup_without_the_primarys_state(lab):
    pair, backup, newer = restore_backup(lab)
    pair.primary.stop()
    put_backup(pair, backup)
    os.remove(state_file(pair.primary))
    pair.primary.start()
    remedy = pair.secondary.until_storage(lambda s: s["error"] and "zrs resync" in s["error"]["remedy"],
                                          "that it is told what to do")["error"]["remedy"]
    assert "zrs adopt --new-database on its host" in remedy
    assert f"move its state file {state_file(pair.secondary)} away" in remedy
    pair.secondary.stop()
    code, _, err = adopt(pair.primary, "--new-database", "--storage", "main")
    assert code == 0, err
    os.rename(state_file(pair.secondary), state_file(pair.secondary) + ".before")
    pair.secondary.start()
    resync_and_go_on(pair, backup, newer)
