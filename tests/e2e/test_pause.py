"""Backups of a live copy: by repozo as it is, and held by zrs pause; and the command that is run after a swap."""

import os
import subprocess
import sys

import pytest
from support import database as db
from support.compare import assert_identical, is_identical, read_bytes, size_of
from support.sidecar import run_zrs
from support.waiting import until


@pytest.fixture(name="pair")
def _pair(lab):
    zeo = lab.zeo()
    lab.server = zeo
    return lab.pair(zeo.path)


def repozo(*arguments):
    program = os.path.join(os.path.dirname(sys.executable), "repozo")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def backup(path, repository, *options):
    os.makedirs(repository, exist_ok=True)
    repozo("--backup", "--repository", repository, "--file", path, *options)


def recover(repository, path):
    repozo("--recover", "--repository", repository, "--output", path)


def pause(sidecar, command="pause", name="main"):
    return run_zrs(command, "--config", sidecar.config, "--storage", name)


def test_repozo_backs_up_a_live_copy_full_and_then_in_increments(lab, pair):
    client = lab.client(lab.server)
    repository = lab.path("backups", "here")
    pair.until_identical()
    with db.Writers(client, threads=2) as writers:
        until(lambda: writers.total() > 50, "commits")
        backup(pair.copy, repository, "--full")
        count = writers.total()
        until(lambda: writers.total() > count + 50, "more commits")
        backup(pair.copy, repository)
    recover(repository, lab.path("recovered", "Data.fs"))
    recovered = read_bytes(lab.path("recovered", "Data.fs"))
    pair.until_identical()
    assert len(recovered) > 10_000
    assert read_bytes(pair.copy).startswith(recovered)


def test_a_paused_copy_stays_as_it_is_and_catches_up(lab, pair):
    client = lab.client(lab.server)
    db.put(client, "before", "x" * 1000)
    pair.until_identical()
    code, out, err = pause(pair.secondary)
    assert (code, err) == (0, "")
    assert "paused" in out
    before = read_bytes(pair.copy)
    for number in range(20):
        db.put(client, "during", "y" * 1000 + str(number))
    assert pair.primary.wait(timeout=1) == 1, "nothing is acknowledged meanwhile"
    assert pair.secondary.storage()["state"] == "paused"
    assert read_bytes(pair.copy) == before
    repository = lab.path("backups", "here")
    backup(pair.copy, repository, "--full")
    recover(repository, lab.path("recovered", "Data.fs"))
    assert_identical(pair.copy, lab.path("recovered", "Data.fs"))
    code, out, _ = pause(pair.secondary, "resume")
    assert (code, out) == (0, "storage main resumed\n")
    pair.until_identical()
    pair.secondary.until_streaming()


def test_a_pack_waits_for_the_end_of_a_pause(lab, pair):
    client = lab.client(lab.server)
    for number in range(20):
        db.put(client, "key", "x" * 1000 + str(number))
    pair.until_identical()
    old = read_bytes(pair.copy)
    assert pause(pair.secondary)[0] == 0
    client.pack()
    until(lambda: size_of(pair.copy + ".zrs-new") >= size_of(pair.path), "the new file beside the copy")
    db.put(client, "key", "more")
    pair.secondary.until_state("paused")
    assert read_bytes(pair.copy) == old
    assert pause(pair.secondary, "resume")[0] == 0
    until(lambda: is_identical(pair.path, pair.copy), "the pack to be followed")


def test_a_paused_process_stops_and_comes_back_unpaused(lab, pair):
    client = lab.client(lab.server)
    db.put(client, "key", 1)
    pair.until_identical()
    assert pause(pair.secondary)[0] == 0
    db.put(client, "key", 2)
    pair.secondary.restart()
    pair.until_identical()
    pair.secondary.until_streaming()


def test_what_cannot_be_paused(pair):
    code, _, err = pause(pair.primary)
    assert code == 2
    assert "storage main is a primary" in err
    code, _, err = pause(pair.secondary, name="other")
    assert code == 2
    assert "no storage other here; there are: main" in err
    pair.secondary.stop()
    assert pause(pair.secondary)[0] == 1


def test_the_on_swap_command(lab):
    zeo = lab.zeo()
    told = lab.path("told", "here")
    pair = lab.pair(zeo.path, keys=[("on-swap", f'echo "$$ZRS_STORAGE $$ZRS_PATH" > {told}; echo no reader; exit 3')])
    client = lab.client(zeo)
    for number in range(5):
        db.put(client, "key", number)
    pair.until_identical()
    assert pair.secondary.storage()["lastSwap"] is None
    client.pack()
    swap = pair.secondary.until_storage(lambda s: s["lastSwap"] and s["lastSwap"]["commandError"],
                                        "the command's end")["lastSwap"]
    assert swap["commandError"] == 'it ended with exit code 3, and printed "no reader"'
    assert swap["time"]
    assert read_bytes(told).decode() == f"main {pair.copy}\n"
    pair.secondary.process.until_logged("on-swap command is no success: it ended with exit code 3, and printed")
    assert pair.secondary.storage()["state"] == "streaming"


def test_without_keep_old_nothing_is_kept(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path, keys=[("keep-old", "off")])
    client = lab.client(zeo)
    for number in range(5):
        db.put(client, "key", number)
    pair.until_identical()
    epoch = pair.secondary.storage()["epoch"]
    client.pack()
    pair.secondary.until_storage(lambda s: s["epoch"] != epoch, "the next epoch")
    pair.until_identical()
    assert not os.path.exists(pair.copy + ".old")
