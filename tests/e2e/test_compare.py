"""A copy against its upstream's file: compared, adopted, diverged, resynced, scrubbed; on real files."""

import json
import os
import shlex
import shutil
import signal

import pytest
from support import config, contract
from support import database as db
from support import raw_file_storage
from support.compare import read_bytes, until_identical
from support.ports import free_address
from support.process import Process
from support.refusal import Unchanged, assert_explained
from support.sidecar import BINARY, run_zrs
from support.waiting import until


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def compare(sidecar, *arguments):
    return run_zrs("compare", "--config", sidecar.config, *arguments)


def resync(sidecar, *arguments):
    return run_zrs("resync", "--config", sidecar.config, *arguments)


# ---- zrs compare


def test_an_identical_copy(lab):
    pair = lab.synced_pair()
    code, out, err = compare(pair.secondary)
    assert code == 0, err
    size = os.path.getsize(pair.copy)
    assert out.startswith(f"identical up to {size} (")
    storage = pair.secondary.storage()
    assert storage["lastTid"] in out and storage["lastTidTime"] in out
    assert storage["state"] == "streaming"
    code, out, _ = compare(pair.secondary, "--json", "--storage", "main", "--rate", "100MB")
    assert code == 0
    report = json.loads(out)
    assert report["same"] and report["comparison"]["sameUpTo"] == size and report["comparison"]["difference"] is None


def test_it_is_compared_while_it_is_written(lab):
    pair = lab.synced_pair()
    database = db.open_file(pair.path)
    lab.at_close(database.close)
    with db.Writers(database):
        for _ in range(5):
            code, _, err = compare(pair.secondary)
            assert code == 0, err
    pair.until_identical()


def test_a_stop_in_the_middle_of_a_comparison_ends_well(lab):
    """What was asked of the upstream is still on its way when the process ends."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=10, size=1_000_000)
    pair = lab.pair(path)
    pair.until_identical()
    for number in range(4):
        asking = lab.process(f"compare-{number}",
                             [BINARY, "compare", "--config", pair.secondary.config, "--rate", "2MB"])
        pair.secondary.until_storage(lambda s: s["checking"], "a comparison")
        if number % 2:
            pair.primary.process.signal(signal.SIGSTOP)  # so that its side of the stream does not close
        pair.secondary.stop()
        pair.primary.process.signal(signal.SIGCONT)
        asking.kill()
        pair.secondary.start()


@pytest.mark.parametrize("side", ["copy", "primary"])
@pytest.mark.parametrize("place", ["first", "data", "length"])
def test_a_flipped_bit_is_found(lab, side, place):
    pair = lab.synced_pair()
    transactions = raw_file_storage.transactions(pair.path)
    begin, _, _, length = transactions[7]
    offset = {"first": 4, "length": begin + 14}.get(place, begin + length - 30)
    flip_byte(pair.copy if side == "copy" else pair.path, offset)
    files = Unchanged(pair.path, pair.copy)
    code, out, err = compare(pair.secondary)
    assert code == 1, err
    assert f"first difference at byte {offset}\n" in out
    begin = 4 if place == "first" else begin
    assert f"the same up to {begin}" in out
    if place == "length":
        damaged = out.splitlines()[2 if side == "copy" else 3]
        assert damaged.startswith("  here" if side == "copy" else "  upstream") and "damage" in damaged
    storage = pair.secondary.storage()
    assert storage["state"] == "diverged"
    assert storage["divergence"]["difference"] == offset
    damaged_upstream = (side, place) == ("primary", "length")
    remedy = "nothing of this copy is to be given up" if damaged_upstream else "zrs resync --dry-run"
    assert_explained(storage, remedy, f"byte {offset}")
    assert not damaged_upstream or run_zrs("resync", "--config", pair.secondary.config)[0] == 1
    assert run_zrs("health", "--config", pair.secondary.config, "--service", "main")[0] == 1
    files.check()
    # It is known after a restart, and no more once the flip is mended.
    pair.secondary.restart()
    assert_explained(pair.secondary.until_state("diverged"), f"byte {offset}")
    flip_byte(pair.copy if side == "copy" else pair.path, offset)
    code, _, err = compare(pair.secondary)
    assert code == 0, err
    pair.secondary.until_streaming()


def test_a_primary_has_nothing_to_compare(lab):
    pair = lab.synced_pair()
    code, _, err = compare(pair.primary)
    assert code == 1
    assert "is a primary" in err
    code, _, err = compare(pair.secondary, "--storage", "other")
    assert code == 2
    assert "no storage other" in err


def test_an_upstream_that_is_gone(lab):
    pair = lab.synced_pair()
    pair.primary.stop()
    code, _, err = compare(pair.secondary)
    assert code == 1
    assert "cannot be asked" in err


def test_every_field_of_a_comparison_is_known_at_least_once(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=30, size=100_000)
    pair = lab.pair(path, keys=[("scrub-interval", "1s"), ("scrub-rate", "3MB")])
    pair.until_identical()
    seen = set()

    def note(condition, what):
        until(lambda: seen.update(contract.known(pair.secondary.status())) or condition(), what, interval=0.02)

    begun = Process("compare", [BINARY, "compare", "--config", pair.secondary.config, "--rate", "500KB"],
                    lab.path("compare.log"))
    begun.start()
    note(lambda: "storages.checking.progress.secondsLeft" in seen, "a comparison")
    begun.kill()
    note(lambda: "storages.scrub.next" in seen and "storages.scrub.finished" in seen, "a scrub")
    for damaged, field in ((pair.copy, "here.damage"), (pair.path, "upstream.damage")):
        begin, _, _, length = raw_file_storage.transactions(pair.path)[5]
        flip_byte(damaged, begin + 14)
        note(lambda name=f"storages.divergence.{field}": name in seen, "a difference")
        flip_byte(damaged, begin + 14)
        assert compare(pair.secondary)[0] == 0
        pair.secondary.until_streaming()
    wanted = {field for field in contract.fields()
              if field.startswith(("storages.checking", "storages.divergence", "storages.scrub"))}
    rare = {"storages.divergence.unsound", "storages.scrub.lastError", "storages.scrub.position"}
    assert wanted - seen - rare == set()


# ---- Adopting


@pytest.mark.parametrize("behind", [0, 5])
def test_a_file_that_was_copied_by_other_means_is_adopted(lab, path, behind):
    copy = lab.path("secondary", "Data.fs")
    shutil.copy(path, copy)
    if behind:
        os.truncate(copy, raw_file_storage.transactions(path)[-behind][0])
    inode = os.stat(copy).st_ino
    pair = lab.pair(path)
    assert pair.copy == copy
    pair.secondary.until_streaming()
    pair.until_identical()
    assert os.stat(copy).st_ino == inode
    assert "it is its copy from now on" in pair.secondary.process.log()
    assert sorted(name for name in os.listdir(os.path.dirname(copy)) if name.startswith("Data")) == \
        ["Data.fs", "Data.fs.lock"]
    database = db.open_file(path)
    db.put(database, "key", "value")
    database.close()
    pair.until_identical()


def test_a_copy_whose_state_was_lost_is_adopted(lab):
    pair = lab.synced_pair()
    pair.secondary.stop()
    shutil.rmtree(pair.secondary.state_dir)
    inode = os.stat(pair.copy).st_ino
    database = db.open_file(pair.path)
    db.put(database, "key", "while it was away")
    database.close()
    pair.secondary.start()
    pair.secondary.until_streaming()
    pair.until_identical()
    assert os.stat(pair.copy).st_ino == inode


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_file_that_was_copied_in_the_middle_of_a_commit_is_adopted(lab, path, cut):
    copy = lab.path("secondary", "Data.fs")
    shutil.copy(path, copy)
    os.truncate(copy, os.path.getsize(path) - cut)
    begin = raw_file_storage.transactions(path)[-1][0]
    torn = read_bytes(copy)[begin:]
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    pair.until_identical()
    assert read_bytes(copy + ".tr0") == torn


def test_a_file_that_is_no_copy_is_left_as_it_is(lab, path):
    copy = lab.path("secondary", "Data.fs")
    db.fill(copy, commits=10)
    files = Unchanged(path, copy)
    pair = lab.pair(path)
    storage = pair.secondary.until_state("diverged")
    assert_explained(storage, "zrs resync --dry-run")
    files.check()
    # A person decides.
    before = read_bytes(copy)
    code, out, err = resync(pair.secondary)
    assert code == 0, err
    assert f"moved to {copy}1\n" in out
    assert read_bytes(copy + "1") == before
    pair.until_identical()


def test_a_file_with_a_flipped_bit_is_not_adopted(lab, path):
    copy = lab.path("secondary", "Data.fs")
    shutil.copy(path, copy)
    begin, _, _, length = raw_file_storage.transactions(path)[9]
    flip_byte(copy, begin + length - 30)
    files = Unchanged(path, copy)
    pair = lab.pair(path)
    storage = pair.secondary.until_state("diverged")
    assert storage["divergence"]["sameUpTo"] == begin
    assert storage["divergence"]["difference"] == begin + length - 30
    files.check()


# ---- Diverged


def pair_that_lost(lab, transactions, left=20):
    """A copy with transactions that its primary, which does not run, has lost."""
    pair = lab.synced_pair(left)
    pair.primary.stop()
    snapshot = lab.path("snapshot", "Data.fs")
    shutil.copy(pair.path, snapshot)
    shutil.copytree(pair.primary.state_dir, lab.path("snapshot", "state"))
    pair.primary.start()
    database = db.open_file(pair.path)
    for number in range(transactions):
        db.put(database, f"lost-{number}", "x" * 500, f"lost {number}")
    database.close()
    pair.until_identical()
    pair.primary.stop()
    shutil.copy(snapshot, pair.path)
    shutil.rmtree(pair.primary.state_dir)
    shutil.copytree(lab.path("snapshot", "state"), pair.primary.state_dir)
    pair.snapshot = snapshot
    return pair


@pytest.fixture(name="ahead")
def fixture_ahead(lab):
    return pair_that_lost(lab, 3)


@pytest.mark.parametrize("goes_on", [False, True], ids=["older", "parted"])
def test_extra_transactions_are_given_up_by_a_persons_word_alone(lab, ahead, goes_on):
    if goes_on:
        database = db.open_file(ahead.path)
        db.put(database, "other", "y" * 50, "the other way")
        database.close()
    common = os.path.getsize(ahead.snapshot)
    extra = read_bytes(ahead.copy)[common:]
    files = Unchanged(ahead.path, ahead.copy)
    ahead.primary.start()
    storage = ahead.secondary.until_storage(lambda s: s["divergence"], "where it diverged")
    assert storage["state"] == "diverged"
    assert storage["divergence"]["sameUpTo"] == common
    assert storage["divergence"]["here"]["description"] == "lost 0"
    assert storage["divergence"]["upstreamEnd"] == os.path.getsize(ahead.path)
    if goes_on:
        assert storage["divergence"]["upstream"]["description"] == "the other way"
    else:
        assert storage["divergence"]["upstream"] is None
    assert_explained(storage, "lost 0", f"offset {common}", "zrs resync --dry-run")
    code, out, err = resync(ahead.secondary, "--dry-run")
    assert code == 0, err
    assert f"3 transaction(s), {len(extra)} bytes, would be cut off, saved to {ahead.copy}.tr0\n" in out
    assert [f"lost {number}" in out for number in range(3)] == [True] * 3
    code, out, err = resync(ahead.secondary, "--dry-run", "--json")
    assert code == 0, err
    plan = json.loads(out)
    assert (plan["transactions"], plan["bytes"], plan["done"]) == (3, len(extra), False)
    files.check()
    assert ahead.secondary.storage()["state"] == "diverged"
    code, out, err = resync(ahead.secondary)
    assert code == 0, err
    ahead.until_identical()
    assert read_bytes(ahead.copy + ".tr0") == extra
    code, out, _ = run_zrs("log", ahead.copy + ".tr0")
    assert code == 0 and "lost 2" in out
    database = db.open_file(ahead.path)
    db.put(database, "and", "on it goes")
    database.close()
    ahead.until_identical()
    assert resync(ahead.secondary)[0] == 1


@pytest.mark.parametrize("left, saved", [(60, ".tr0"), (20, "1")], ids=["cut", "moved"])
def test_what_is_not_listed_is_listed_by_the_command_that_is_printed(lab, left, saved):
    pair = pair_that_lost(lab, 25, left)
    pair.primary.start()
    pair.secondary.until_state("diverged")
    for arguments, file in ((["--dry-run"], pair.copy), ([], pair.copy + saved)):
        code, out, err = resync(pair.secondary, *arguments)
        assert code == 0, err
        [command] = [line.split(", listed by: ")[1] for line in out.splitlines() if ", listed by: " in line]
        words = shlex.split(command)
        assert words[:3] == ["zrs", "log", file]
        code, listed, err = run_zrs(*words[1:])
        assert code == 0, err
        assert len(listed.splitlines()) == int(out.split(" transaction(s)")[0].split()[-1])


def test_a_copy_with_a_flipped_bit_is_mended(lab):
    pair = lab.synced_pair()
    begin, _, _, length = raw_file_storage.transactions(pair.path)[-3]
    flip_byte(pair.copy, begin + length - 30)
    flipped = read_bytes(pair.copy)[begin:]
    assert compare(pair.secondary)[0] == 1
    code, _, err = resync(pair.secondary)
    assert code == 0, err
    pair.until_identical()
    assert read_bytes(pair.copy + ".tr0") == flipped
    assert compare(pair.secondary)[0] == 0


def test_a_resync_tells_readers(lab, ahead):
    told = lab.path("told")
    ahead.secondary.stop()
    ahead.secondary.configure(config.secondary(ahead.copy, ahead.address, keys=[("on-swap", f"touch {told}")]))
    ahead.primary.start()
    ahead.secondary.start()
    ahead.secondary.until_state("diverged")
    assert resync(ahead.secondary)[0] == 0
    until(lambda: os.path.exists(told), "the on-swap command")
    ahead.until_identical()


def test_an_old_primary_with_extra_transactions_returns(lab):
    pair = lab.synced_pair()
    pair.secondary.stop()
    address = free_address()
    pair.secondary.configure(config.secondary(pair.copy, pair.address, serve_on=address))
    database = db.open_file(pair.path)
    db.put(database, "lost", "z" * 300, "never replicated")
    database.close()
    pair.primary.kill()
    pair.secondary.start()
    code, _, err = run_zrs("promote", "--config", pair.secondary.config)
    assert code == 0, err
    database = db.open_file(pair.copy)
    db.put(database, "new", "a", "after the failover")
    database.close()
    pair.primary.configure(config.secondary(pair.path, address))
    pair.primary.start()
    storage = pair.primary.until_storage(lambda s: s["divergence"], "where it diverged")
    assert storage["divergence"]["here"]["description"] == "never replicated"
    assert storage["divergence"]["upstream"]["description"] == "after the failover"
    code, out, err = resync(pair.primary)
    assert code == 0, err
    assert "1 transaction(s)" in out
    until_identical(pair.copy, pair.path)


# ---- Scrub


def test_a_scrub_finds_a_flipped_bit(lab):
    pair = lab.synced_pair()
    pair.secondary.stop()
    pair.secondary.configure(config.secondary(pair.copy, pair.address, keys=[("scrub-interval", "1s")]))
    pair.secondary.start()
    pair.secondary.until_storage(lambda s: s["scrub"] and s["scrub"]["finished"], "a scrub")
    begin, _, _, length = raw_file_storage.transactions(pair.copy)[4]
    flip_byte(pair.copy, begin + length - 30)
    storage = pair.secondary.until_state("diverged")
    assert_explained(storage, f"byte {begin + length - 30}")
