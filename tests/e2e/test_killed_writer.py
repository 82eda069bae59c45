"""A writer that is killed between vote and finish leaves a transaction with status 'c': it is never replicated."""

import os
import subprocess
import sys

import pytest
from support import database as db
from support import raw_file_storage
from support.compare import read_bytes

_DIE_AFTER_VOTE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "support", "die_after_vote.py")


def die_after_vote(path, size):
    """Leaves a tail in progress; returns where it begins."""
    done = subprocess.run([sys.executable, _DIE_AFTER_VOTE, path, str(size)], check=False)
    assert done.returncode == 9
    end = raw_file_storage.committed_end(path)
    assert os.path.getsize(path) > end + size
    return end


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_writer_killed_between_vote_and_finish_and_reopened(lab, size):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.until_identical()
    end = die_after_vote(path, size)
    # Something to wait for: the sidecar looked at the file after the writer's death.
    assert pair.primary.wait() == 0
    assert read_bytes(pair.copy) == read_bytes(path)[:end]

    database = db.open_file(path)
    lab.at_close(database.close)
    assert os.path.exists(path + ".tr0")
    assert os.path.getsize(path) == end
    db.put(database, "key", "another transaction at the same position")
    pair.until_identical()


def test_a_sidecar_that_starts_on_a_file_with_a_tail_in_progress(lab):
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    end = die_after_vote(path, 50_000)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    assert pair.primary.wait() == 0
    assert pair.primary.storage()["committedEnd"] == end
    assert read_bytes(pair.copy) == read_bytes(path)[:end]
    database = db.open_file(path)
    lab.at_close(database.close)
    db.put(database, "key", "value")
    pair.until_identical()
