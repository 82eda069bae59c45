"""A disk on which a sync does not come to an end holds up its own storage alone."""

import os

from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.preload import built
from support.waiting import until

_SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "support", "stuck_disk.cc")


def test_it_holds_up_no_other_storage(lab):
    names = ("one", "two")
    paths = [lab.path("primary-data", f"{name}.fs") for name in names]
    copies = [lab.path(f"{name}-copy", "Data.fs") for name in names]
    addresses = [free_address() for _ in names]
    for path in paths:
        db.fill(path)
    lab.sidecar("primary", *(config.primary(*each) for each in zip(paths, addresses, names))).start()
    directory = os.path.dirname(copies[0])
    secondary = lab.sidecar("secondary",
                            *(config.secondary(copy, address, name=name)
                              for copy, address, name in zip(copies, addresses, names)),
                            env=built(lab, _SHIM) | {"ZRS_STUCK_DIRECTORY": directory}).start()
    for path, copy in zip(paths, copies):
        until_identical(path, copy)
    stuck = os.path.join(directory, "stuck")
    os.mkfifo(stuck)
    for path in paths:
        db.fill(path)
    until_identical(paths[1], copies[1])
    assert secondary.storage("two")["state"] == "streaming"
    until(lambda: secondary.storage("two")["committedEnd"] == os.path.getsize(paths[1]), "what is durable of the other")
    assert secondary.storage("one")["committedEnd"] < os.path.getsize(paths[0])
    with open(stuck, "wb"):
        os.remove(stuck)
    until_identical(paths[0], copies[0])
    until(lambda: secondary.storage("one")["committedEnd"] == os.path.getsize(paths[0]), "what is durable of the first")
