"""Makes a realistic Data.fs with ZODB: what years of a content site leave behind, in one file.

    generate.py PATH [--size BYTES] [--seed N] [--tiny]

Transactions have a user, a description and 1 to 40 records, of which most are small objects (100 to 2,000 bytes), some
are pages of text (2 to 40 kB), and a few are images (0.2 to 1.5 MB); on average 12 records and some 34 kB. One in
fifty is an undo's: its records are back pointers. Half of each record's bytes compress well.
With --tiny each transaction has one record of some 100 bytes: some 220 bytes in all, so 4,400 to a MB.
The same options make the same file, but for the times in it.
"""

import argparse
import importlib
import os
import pickle
import random
import sys

from ZODB.utils import p64, z64

# The module, not the class that the package has under the same name.
_MODULE = importlib.import_module("ZODB.FileStorage.FileStorage")
# Of what is generated: part of a cached file's name.
VERSION = 1
_CLASS = pickle.dumps(("persistent.mapping", "PersistentMapping"), 3)


class Transaction:
    """What a storage wants to know of a transaction."""

    def __init__(self, user=b"", description=b""):
        self.user, self.description, self.extension = user, description, {}
        self.extension_bytes = b""

    def data(self, _):
        return None


class Generator:
    """Writes through FileStorage's own API, without a Connection: the bytes are the same, in a tenth of the time."""

    def __init__(self, storage, seed, tiny=False):
        self._storage = storage
        self._tiny = tiny
        self._random = random.Random(seed)
        self._noise = self._random.randbytes(4 << 20)
        self._serials = []
        self._undoable = []

    def _data(self):
        kind = self._random.random()
        if kind < 0.929:
            size = self._random.randint(100, 2_000)
        elif kind < 0.999:
            size = int(self._random.triangular(2_000, 40_000, 4_000))
        else:
            size = self._random.randint(200_000, 1_500_000)
        start = self._random.randrange(len(self._noise) - size)
        noise = self._noise[start:start + size // 2]
        return _CLASS + pickle.dumps({"data": noise, "text": "zope " * (size // 10)}, 3)

    def _commit(self, records):
        """`records`: oid -> data. Returns nothing; notes the new serials."""
        transaction = Transaction(b" editor%d" % self._random.randrange(40), b"/site/folder/document edited")
        self._storage.tpc_begin(transaction)
        for oid, data in records.items():
            serial = self._serials[oid] if oid < len(self._serials) else z64
            self._storage.store(p64(oid), serial, data, "", transaction)
        self._storage.tpc_vote(transaction)
        tid = self._storage.tpc_finish(transaction)
        for oid in records:
            if oid < len(self._serials):
                self._serials[oid] = tid
            else:
                self._serials.append(tid)

    def step(self):
        """One transaction, or one and its undo."""
        if self._tiny:
            start = self._random.randrange(1_000_000)
            return self._commit({len(self._serials) % 10_000: _CLASS + self._noise[start:start + 60]})
        count = min(40, 1 + int(self._random.expovariate(1 / 11)))
        known = len(self._serials)
        records, following = {}, known
        for _ in range(count):
            if known > 1_000 and self._random.random() < 0.6:
                oid = self._random.randrange(known)
            else:
                oid, following = following, following + 1
            records[oid] = self._data()
        self._commit(records)
        if self._random.random() < 0.02:
            self._undo()
        return None

    def _undo(self):
        last = self._storage.undoLog(0, 1)[0]["id"]
        transaction = Transaction(b" editor", b"undo")
        self._storage.tpc_begin(transaction)
        _, oids = self._storage.undo(last, transaction)
        self._storage.tpc_vote(transaction)
        tid = self._storage.tpc_finish(transaction)
        for oid in oids:
            number = int.from_bytes(oid, "big")
            self._serials[number] = tid


def append_one(path, size):
    """One more transaction, with records of 64 MiB."""
    storage = _MODULE.FileStorage(path)
    transaction = Transaction(b" import", b"one large import")
    storage.tpc_begin(transaction)
    data = random.Random(3).randbytes(1 << 20) * 64
    for number in range(size // len(data)):
        storage.store(storage.new_oid(), z64, data, "", transaction)
    storage.tpc_vote(transaction)
    storage.tpc_finish(transaction)
    storage.close()


def generate(path, size, seed=1, tiny=False):
    """Appears at `path` by rename, when it is whole."""
    making = path + ".making"
    for leftover in (making, making + ".index", making + ".lock", making + ".tmp"):
        if os.path.exists(leftover):
            os.remove(leftover)
    storage = _MODULE.FileStorage(making)
    # One at the end, not one for each of tens of thousands of transactions.
    _MODULE.fsync = None
    generator = Generator(storage, seed, tiny)
    while storage.getSize() < size:
        generator.step()
    storage.close()
    with open(making, "rb") as file:
        os.fsync(file.fileno())
    os.rename(making, path)
    for leftover in (making + ".index", making + ".lock", making + ".tmp"):
        if os.path.exists(leftover):
            os.remove(leftover)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--size", type=int, default=1_000_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    generate(arguments.path, arguments.size, arguments.seed, arguments.tiny)
    return 0


if __name__ == "__main__":
    sys.exit(main())
