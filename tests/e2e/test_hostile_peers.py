"""Peers that speak something else, flood, stand still or take more than is theirs: those who keep to the protocol are
served on, and no file is changed."""

import os
import random
import signal
import socket

import pytest
from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address, free_port
from support.refusal import Unchanged, assert_explained
from support.waiting import until


@pytest.fixture
def pair(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    made = lab.pair(path)
    made.until_identical()
    return made


def commit_and_follow(lab, pair, value="more"):
    database = db.open_file(pair.path)
    try:
        db.put(database, "key", value)
    finally:
        database.close()
    pair.until_identical()


def tcp(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SPEECHES = {
    "nothing": b"",
    "HTTP/1": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "noise": random.Random(1).randbytes(100_000),
    "a preface and noise": _HTTP2 + random.Random(2).randbytes(100_000),
    "a preface alone": _HTTP2,
    "a frame of the largest length": _HTTP2 + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(10_000),
    "a flood of settings": _HTTP2 + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 10_000,
    "a flood of pings": _HTTP2 + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x08\x06\x00" + bytes(12) * 10_000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
}


@pytest.mark.parametrize("kind", _SPEECHES)
def test_something_else_is_spoken_to_a_primary(lab, pair, kind):
    files = Unchanged(pair.path, pair.copy)
    with tcp(pair.address) as peer:
        try:
            peer.sendall(_SPEECHES[kind])
        except OSError:
            pass
        files.check()
        assert len(pair.primary.storage()["followers"]) == 1
        commit_and_follow(lab, pair)


@pytest.mark.parametrize("kind", _SPEECHES)
def test_something_else_is_spoken_to_a_secondary(lab, kind):
    port = free_port()
    copy = lab.path("secondary", "Data.fs")
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(20)
        secondary = lab.sidecar("secondary", config.secondary(copy, f"127.0.0.1:{port}")).start()
        with server.accept()[0] as peer:
            try:
                peer.sendall(_SPEECHES[kind])
                if kind == "noise":
                    peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            storage = secondary.until_storage(lambda s: s["error"], "an error", timeout=60)
            assert_explained(storage, f"127.0.0.1:{port}")
            assert storage["state"] == "connecting"
            assert not os.path.exists(copy)


def test_hundreds_of_connections_that_say_nothing(lab, pair):
    peers = [tcp(pair.address) for _ in range(400)]
    try:
        commit_and_follow(lab, pair)
        late = lab.sidecar("late", config.secondary(lab.path("late", "Data.fs"), pair.address)).start()
        late.until_streaming()
    finally:
        for peer in peers:
            peer.close()
    commit_and_follow(lab, pair, "once they are gone")
    assert "open files" not in pair.primary.process.log()


def test_a_stopped_primary_is_noticed_by_its_secondary(lab, pair):
    """Half open: the kernel still takes what is sent."""
    files = Unchanged(pair.path, pair.copy)
    pair.primary.process.signal(signal.SIGSTOP)
    storage = pair.secondary.until_storage(lambda s: s["error"], "an error", timeout=30)
    assert_explained(storage)
    storage = pair.secondary.until_storage(lambda s: not s["upstream"]["connected"], "the connection to end",
                                            timeout=30)
    assert_explained(storage, pair.address)
    files.check()
    pair.primary.process.signal(signal.SIGCONT)
    pair.secondary.until_streaming()
    commit_and_follow(lab, pair)


@pytest.mark.parametrize("size", [0, 10_000_000], ids=["idle", "with bytes on their way"])
def test_a_stopped_secondary_is_noticed_by_its_primary(lab, pair, size):
    pair.secondary.process.signal(signal.SIGSTOP)
    if size > 0:
        database = db.open_file(pair.path)
        lab.at_close(database.close)
        db.put(database, "key", "x" * size)
        assert pair.primary.wait(timeout=1) == 1
    files = Unchanged(pair.path, pair.copy)
    pair.primary.until_storage(lambda s: s["followers"] == [], "the follower to be forgotten", timeout=30)
    files.check()
    pair.secondary.process.signal(signal.SIGCONT)
    until_identical(pair.path, pair.copy)
    pair.secondary.until_streaming()


def test_one_follower_too_many_costs_the_others_nothing(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address, keys=[("max-followers", "2")])).start()
    copies = [lab.path(f"copy-{number}", "Data.fs") for number in range(3)]
    sidecars = [lab.sidecar(f"secondary-{number}", config.secondary(copy, address, keys=[("reconnect-delay", "1s")]))
                for number, copy in enumerate(copies)]
    for sidecar in sidecars[:2]:
        sidecar.start().until_streaming()
    sidecars[2].start()
    assert_explained(sidecars[2].until_refused(), address, "has its 2 followers", "max-followers")
    assert not os.path.exists(copies[2])
    assert len(primary.storage()["followers"]) == 2
    assert [sidecar.storage()["state"] for sidecar in sidecars[:2]] == ["streaming", "streaming"]
    sidecars[0].stop()
    until_identical(path, copies[2])
    until(lambda: len(primary.storage()["followers"]) == 2, "two followers")
