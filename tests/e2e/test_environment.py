"""Surroundings that must not matter."""

import os

import pytest
from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.users import sidecar_of_nobody


def test_a_proxy_in_the_environment_does_not_matter(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    address = free_address()
    proxy = f"http://{free_address()}"
    env = {name: proxy for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "all_proxy")}
    env.update(no_proxy="", NO_PROXY="", no_grpc_proxy="")
    copy = lab.path("secondary", "Data.fs")
    lab.sidecar("primary", config.primary(path, address), env=env).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address), env=env).start()
    secondary.until_streaming()
    until_identical(path, copy)


def test_a_primary_needs_no_write_permission_where_the_database_is(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    database = db.open_file(path)
    lab.at_close(database.close)
    os.chmod(path, 0o644)
    address = free_address()
    primary = sidecar_of_nobody(lab, "primary", config.primary(path, address))
    before = sorted(os.listdir(os.path.dirname(path)))
    directory_mode = os.stat(os.path.dirname(path)).st_mode
    os.chmod(os.path.dirname(path), 0o555)
    try:
        primary.start()
        copy = lab.path("secondary", "Data.fs")
        lab.sidecar("secondary", config.secondary(copy, address)).start()
        db.put(database, "key", b"x" * 100_000)
        until_identical(path, copy)
        primary.restart()
        db.put(database, "key", b"y" * 100_000)
        until_identical(path, copy)
        assert sorted(os.listdir(os.path.dirname(path))) == before
    finally:
        os.chmod(os.path.dirname(path), directory_mode)


@pytest.mark.parametrize("close", [True, False])
def test_a_primary_leaves_nothing_beside_the_database(lab, close):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    before = sorted(os.listdir(os.path.dirname(path)))
    pair = lab.pair(path)
    pair.until_identical()
    if close:
        pair.primary.stop()
    else:
        pair.primary.kill()
    assert sorted(os.listdir(os.path.dirname(path))) == before


def test_nothing_is_left_beside_the_copy_but_what_zodb_has_too(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    pair.secondary.stop()
    left = set(os.listdir(os.path.dirname(pair.copy)))
    ours = {"zrs.conf", "zrs.log", "state", "admin.sock"}
    assert left - ours <= {"Data.fs", "Data.fs.lock", "Data.fs.index"}
