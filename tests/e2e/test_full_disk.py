"""A disk that stays full for a while."""

import os

from support import config
from support import database as db
from support.ports import free_address
from support.small_disk import in_a_small_disk
from support.waiting import hold_for


def test_a_full_disk_does_not_fill_the_logs(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path, commits=50, size=20_000)
    address, copy = free_address(), lab.path("copy", "Data.fs")
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address),
                            prefix=in_a_small_disk(os.path.dirname(copy), "200k")).start()
    since = secondary.until_state("disk-full")["error"]["since"]
    hold_for(4, "some attempts")
    storage = secondary.storage()
    assert storage["state"] == "disk-full"
    assert storage["error"]["since"] == since
    for sidecar in (primary, secondary):
        assert len(sidecar.process.log().splitlines()) < 40, sidecar.process.log_tail()
