"""Fixtures of the end-to-end tests."""

import pytest
from support import database as db


@pytest.fixture(name="path")
def fixture_path(lab):
    """A database of some commits, which nobody has open."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    return path
