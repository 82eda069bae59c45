"""Index files by `zrs index`, and what a real ZODB makes of them."""

import contextlib
import json
import os
import shutil
import sys

import ZODB.FileStorage

from .compare import read_bytes
from .sidecar import run_zrs

_MODULE = sys.modules["ZODB.FileStorage.FileStorage"]


def index(path, *arguments):
    """The JSON object."""
    code, out, err = run_zrs("index", path, "--json", *arguments)
    assert code == 0, err
    assert err == ""
    return json.loads(out)


@contextlib.contextmanager
def scans():
    """The positions from which ZODB's scans begin meanwhile."""
    begun, original = [], _MODULE.read_index

    def read_index(*arguments, **keywords):
        begun.append(keywords.get("start", 4))
        return original(*arguments, **keywords)

    _MODULE.read_index = read_index
    try:
        yield begun
    finally:
        _MODULE.read_index = original


def opened(path, **keywords):
    """(where ZODB's scan began, its index, what each object's record is)."""
    with scans() as begun:
        storage = ZODB.FileStorage.FileStorage(path, **keywords)
    positions = dict(storage._index.items())  # pylint: disable=protected-access
    records = {}
    for oid in positions:
        try:
            records[oid] = storage.load(oid)
        except KeyError as error:
            records[oid] = type(error)
    storage.close()
    return begun, positions, records


def assert_good(path, trusted=True):
    """ZODB takes the index, read-only and for writing, and finds by it what it finds without it; both save the same."""
    ours = read_bytes(path + ".index")
    found = [opened(path, read_only=True)]
    without = path + ".elsewhere"
    shutil.copy(path, without)
    expected = opened(without)
    assert read_bytes(without + ".index") == ours
    found.append(opened(path))
    for begun, positions, records in found:
        assert begun == [os.path.getsize(path) if trusted else 4]
        assert (positions, records) == expected[1:]
    assert read_bytes(path + ".index") == ours
    left = {name.removeprefix(os.path.basename(path)) for name in os.listdir(os.path.dirname(path))}
    assert left <= {"", *(f"{copy}{name}" for copy in ("", ".elsewhere")
                          for name in ("", ".index", ".lock", ".tmp", ".old"))}


def without_index(path):
    if os.path.exists(path + ".index"):
        os.remove(path + ".index")
    return path
