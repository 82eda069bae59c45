"""What every refusal has to be: a reason that names what it is about, a remedy, and no byte changed."""

import os
import stat

from .compare import read_bytes


def contents(path):
    """Bytes of a file, names and bytes below a directory, None where there is nothing."""
    if not os.path.lexists(path):
        return None
    if os.path.isdir(path):
        return {name: contents(os.path.join(path, name)) for name in sorted(os.listdir(path))}
    return read_bytes(path) if stat.S_ISREG(os.lstat(path).st_mode) else "no regular file"


class Unchanged:
    """Files and directories, before and after."""

    def __init__(self, *paths):
        self._before = {path: contents(path) for path in paths}

    def check(self, *paths):
        for path in paths or self._before:
            assert contents(path) == self._before[path], f"{path} was changed"


def assert_explained(storage, *words):
    """An error says what is wrong, about what, and what to do."""
    error = storage["error"]
    assert error and error["message"] and error["remedy"], storage
    for word in words:
        assert str(word) in error["message"] + "; " + error["remedy"], error
