"""All that a primary's file has ever been, and copies held against it."""

import contextlib
import os

import ZODB.FileStorage
from support import raw_file_storage
from support.compare import same_beginning
from support.waiting import until
from ZODB.POSException import POSKeyError


class History:
    """Each epoch's file, kept by a link: ZODB's pack leaves the old file as it was."""

    def __init__(self, lab, path):
        self._lab = lab
        self._path = path
        self.epochs = []
        self.note()

    def note(self):
        """To be called before each pack, and at any time after it."""
        link = self._lab.path("history", str(len(self.epochs)))
        until(lambda: os.path.exists(self._path), "the file that a pack is about to put there")
        os.link(self._path, link)
        if self.epochs and os.path.samefile(self.epochs[-1], link):
            os.remove(link)
        else:
            self.epochs.append(link)

    def epochs_that_begin_with(self, path, end):
        """Numbers of the epochs."""
        return [number for number, epoch in enumerate(self.epochs) if same_beginning(epoch, path, end)]


class Copy:
    """The file of one secondary, and what was seen there last."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        self._inode = None
        self._end = 0
        self._epoch = 0

    def check(self, history):
        """What an opener would read is the beginning of an epoch, and it has not gone back."""
        if not os.path.exists(self.path):
            assert self._inode is None, f"{self.name}: its copy is gone"
            return
        with open(self.path, "rb") as file:
            pinned = _pinned(file)
            inode = os.fstat(file.fileno()).st_ino
            end = raw_file_storage.committed_end(pinned)
            history.note()
            epochs = history.epochs_that_begin_with(pinned, end)
        assert epochs, f"{self.name}: up to {end} it is the beginning of no epoch"
        assert inode != self._inode or end >= self._end, f"{self.name}: back from {self._end} to {end}"
        assert epochs[-1] >= self._epoch, f"{self.name}: back from epoch {self._epoch} to {epochs}"
        self._inode, self._end, self._epoch = inode, end, epochs[0]

    def number(self):
        """The application's, as a real ZODB reads it there; it loads every object's current revision too."""
        if not os.path.exists(self.path):
            return 0
        with open(self.path, "rb") as file:
            # ZODB opens its file by name more than once, and a packed one may take the copy's place meanwhile.
            storage = ZODB.FileStorage.FileStorage(_pinned(file), read_only=True)
            try:
                _load_all(storage)
                return _number(storage) if len(storage) else 0
            finally:
                storage.close()


def _pinned(file):
    """A path of the very file that is open."""
    return f"/proc/self/fd/{file.fileno()}"


def _load_all(storage):
    for oid in storage._index.keys():  # pylint: disable=protected-access
        with contextlib.suppress(POSKeyError):  # its creation was undone
            storage.load(oid)


def _number(storage):
    with ZODB.DB(storage).transaction() as connection:
        return connection.root().get("number", 0)
