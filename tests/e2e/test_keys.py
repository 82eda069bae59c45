"""Each key of the configuration that no other test is about has its effect, seen from outside."""

import ctypes
import os
import signal
import time

import pytest
from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.sidecar import run_zrs
from support.slow_link import behind_a_slow_link
from support.users import NOBODY, needs_root, sidecar_of_nobody
from support.waiting import hold_for


def linked_pair(lab, path, primary_keys=(), secondary_keys=()):
    """A pair, streaming, and the link between them."""
    pair, link = behind_a_slow_link(lab, path, keys=secondary_keys, primary_keys=primary_keys)
    pair.secondary.until_streaming()
    pair.until_identical()
    assert pair.primary.wait() == 0
    return pair, link


def said_in(link, seconds):
    """Bytes that each side of an idle pair says in a while."""
    before = link.from_follower, link.from_target
    hold_for(seconds, "the sides speak, or are silent")
    return {"from_follower": link.from_follower - before[0], "from_target": link.from_target - before[1]}


OFTEN, SELDOM = [("keep-alive-delay", "20ms")], [("keep-alive-delay", "1h")]


@pytest.mark.parametrize("side, primary_keys, secondary_keys", [
    ("from_follower", SELDOM, OFTEN),
    ("from_target", OFTEN, SELDOM),
])
def test_keep_alive_delay_is_how_often_an_idle_side_speaks(lab, path, side, primary_keys, secondary_keys):
    _, link = linked_pair(lab, path, primary_keys, secondary_keys)
    assert said_in(link, 1.5)[side] > 40 * 15


def test_sides_that_speak_seldom_are_silent(lab, path):
    _, link = linked_pair(lab, path, SELDOM, SELDOM)
    assert sum(said_in(link, 1.5).values()) < 400


def test_a_primary_that_speaks_seldom_is_still_believed(lab, path):
    pair, _ = linked_pair(lab, path, [("keep-alive-delay", "4s")])
    hold_for(6, "longer than the three seconds of the default")
    assert pair.secondary.storage()["lagSeconds"] == 0


def test_source_name_and_reconnect_delay(lab, path):
    """Two storages behind one address: which one is said, and asked for again after a refusal."""
    other = lab.path("primary-data", "other.fs")
    db.fill(other, commits=3)
    address = free_address()
    lab.sidecar("primary", config.primary(path, address, "one"), config.primary(other, address, "two")).start()
    copy = lab.path("secondary", "Data.fs")
    keys = [("source-name", "two"), ("reconnect-delay", "200ms")]
    lab.sidecar("secondary", config.secondary(copy, address, name="mine", keys=keys)).start()
    until_identical(other, copy)


def test_a_section_of_the_same_name_needs_no_source_name(lab, path):
    other = lab.path("primary-data", "other.fs")
    db.fill(other, commits=3)
    address = free_address()
    lab.sidecar("primary", config.primary(path, address, "one"), config.primary(other, address, "two")).start()
    copy = lab.path("secondary", "Data.fs")
    lab.sidecar("secondary", config.secondary(copy, address, name="two")).start()
    until_identical(other, copy)


def test_an_unknown_name_is_refused_with_the_names_and_asked_for_again(lab, path):
    other = lab.path("primary-data", "other.fs")
    db.fill(other, commits=3)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address, "one"), config.primary(other, address, "two"))
    primary.start()
    copy = lab.path("secondary", "Data.fs")
    secondary = lab.sidecar("secondary", config.secondary(copy, address, name="three",
                                                          keys=[("reconnect-delay", "200ms")])).start()
    storage = secondary.until_refused("three")
    assert storage["state"] == "connecting"
    assert "one, two" in storage["error"]["message"]
    # It is mended over there.
    primary.stop()
    primary.configure(config.primary(path, address, "one"), config.primary(other, address, "three"))
    primary.start()
    until_identical(other, copy, timeout=8)


def test_stop_timeout(lab, path):
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address), keys=[("stop-timeout", "1s")]).start()
    secondary = lab.sidecar("secondary", config.secondary(lab.path("secondary", "Data.fs"), address)).start()
    secondary.until_streaming()
    secondary.process.signal(signal.SIGSTOP)
    database = db.open_file(path)
    db.put(database, "key", "x" * 1000)
    database.close()
    began = time.monotonic()
    code, _, err = run_zrs("stop", "--config", primary.config)
    took = time.monotonic() - began
    secondary.process.signal(signal.SIGCONT)
    assert code == 0, err
    assert "has not acknowledged the last" in err
    assert 0.9 < took < 10
    assert "has not acknowledged the last" in primary.process.log()


def test_log_level(lab, path):
    logs = {}
    for level in ("debug", "info", "error"):
        sidecar = lab.sidecar(level, config.primary(path, free_address()), keys=[("log-level", level)]).start()
        sidecar.stop()
        logs[level] = sidecar.process.log()
    assert logs["error"] == ""
    assert "is up" in logs["info"]
    assert "is up" in logs["debug"]


@needs_root
def test_poll_interval(lab, path):
    """Where no notification can be had, it alone finds commits: here, nobody has none of them left."""
    holder = _hold_all_notifications()
    lab.at_close(lambda: os.kill(holder, signal.SIGKILL))
    os.chmod(path, 0o644)
    for interval, finds in (("20ms", True), ("1h", False)):
        keys = [("poll-interval", interval)]
        sidecar = sidecar_of_nobody(lab, f"poll-{interval}", config.primary(path, free_address(), keys=keys))
        sidecar.start().until_streaming()
        assert sidecar.storage()["watch"] == "poll"
        before = os.path.getsize(path)
        database = db.open_file(path)
        db.put(database, interval, "x" * 1000)
        database.close()
        after = os.path.getsize(path)
        assert after > before
        if finds:
            sidecar.until_storage(lambda s, end=after: s["committedEnd"] == end, "the commit")
        else:
            hold_for(2.5, "longer than the second of the default")
            assert sidecar.storage()["committedEnd"] == before
        sidecar.stop()


def _hold_all_notifications():
    """A process of nobody's that has all inotify instances which that user may have; its id."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        libc = ctypes.CDLL(None)
        while libc.inotify_init() >= 0:
            pass
        os.write(tell, b"x")
        signal.pause()
        os._exit(0)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return pid


def test_a_configuration_of_the_incumbent_as_it_stands(lab, path):
    """Wrapped, with what means nothing here, and blobs that are looked after elsewhere."""
    address, copy = free_address(), lab.path("secondary", "Data.fs")

    def section(address_key, data):
        return (f"%import zc.zrs\n<zrs>\n  {address_key} {address}\n  keep-alive-delay 60\n  blobs external\n"
                f"  <blobstorage>\n    blob-dir {lab.directory}/blobs\n    <zlibstorage>\n      <filestorage>\n"
                f"        path {data}\n        create no\n        read-only false\n        quota 10GB\n"
                "        packer ZODB.FileStorage:pack\n        pack-gc false\n        pack-keep-old no\n"
                "      </filestorage>\n    </zlibstorage>\n  </blobstorage>\n</zrs>\n")

    primary = lab.sidecar("primary", section("replicate-to", path)).start()
    secondary = lab.sidecar("secondary", section("replicate-from", copy)).start()
    until_identical(path, copy)
    for sidecar in (primary, secondary):
        assert sidecar.storage("1")["blobs"] == "external"


def test_blobs_that_nobody_looks_after_are_an_error(lab, path):
    sidecar = lab.sidecar("primary", f"<primary>\n  address {free_address()}\n  <blobstorage>\n    blob-dir /blobs\n"
                                     f"    <filestorage>\n      path {path}\n    </filestorage>\n  </blobstorage>\n"
                                     "</primary>\n")
    code, _, err = run_zrs("run", "--config", sidecar.config)
    assert code == 2
    assert "blobs external" in err
    assert f"{sidecar.config}:" in err
