"""Connections that are well to look at, and carry nothing."""

import os

from support import config
from support import database as db
from support.compare import until_identical
from support.faulty_link import FaultyLink
from support.ports import free_address
from support.sidecar import run_zrs
from support.waiting import until


def test_a_connection_that_carries_nothing_is_given_up(lab, path):
    """What was flipped in HTTP/2's own bytes makes a publisher wait for room, for ever; pings are answered all the
    while."""
    database = db.open_file(path)
    for number in range(30):
        db.put(database, str(number), os.urandom(100_000))
    database.close()
    address, middle_address = free_address(), free_address()
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    copies = [lab.path("middle-data", "Data.fs")]
    lab.sidecar("middle", config.secondary(copies[0], address, serve_on=middle_address)).start()
    until_identical(path, copies[0])
    secondaries = []
    for name, upstream in (("of-primary", address), ("of-middle", middle_address)):
        link = FaultyLink(upstream)
        lab.at_close(link.close)
        link.lose_windows()
        copies.append(lab.path(f"{name}-data", "Data.fs"))
        secondaries.append(lab.sidecar(name, config.secondary(copies[-1], link.address)).start())
    for secondary in secondaries:
        until(lambda log=secondary.process.log: "nothing was heard of it for 30s" in log(), secondary.process.log_tail,
              timeout=60)
    until_identical(path, *copies)
    for secondary in secondaries:
        secondary.until_streaming()
        assert secondary.process.log().count("nothing was heard of it") <= 2, "it is said, and said to be over"
    assert primary.wait("--replicas", "2") == 0
    code, out, err = run_zrs("health", "--config", secondaries[-1].config)
    assert code == 0, out + err
