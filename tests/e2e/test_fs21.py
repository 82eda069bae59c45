"""A file from the Python 2 era, which today's ZODB does not open: its bytes are bytes all the same."""

import os

from support import raw_file_storage
from support.compare import read_bytes


class RawWriter:
    """Appends to a file as a FileStorage does: vote with status 'c', then the status byte, then fsync."""

    def __init__(self, path, magic):
        self._file = open(path, "wb", buffering=0)  # pylint: disable=consider-using-with
        self._file.write(magic)
        self._tid = 0x0234_5678_0000_0000

    def commit(self, *data, status=b" ", **texts):
        self._tid += 0x1000
        position = self._file.seek(0, os.SEEK_END)
        done = raw_file_storage.transaction(position, self._tid, data, status=status, **texts)
        voted = done[:16] + b"c" + done[17:]
        for start in range(0, len(voted), 50_000):
            self._file.write(voted[start:start + 50_000])
        self._file.seek(position + 16)
        self._file.write(status)
        os.fsync(self._file.fileno())

    def close(self):
        self._file.close()


def follow(lab, magic):
    path = lab.path("primary-data", "Data.fs")
    writer = RawWriter(path, magic)
    lab.at_close(writer.close)
    writer.commit(b"cpersistent.mapping\nPersistentMapping\n.", b"(dU\x05_rootq\x01.", status=b"p")
    writer.commit(b"data", user=b"u" * 65_535, description=b"d" * 65_535, extension=b"e" * 65_535)
    pair = lab.pair(path)
    pair.until_identical()
    writer.commit()
    writer.commit(b"x" * 400_000, b"")
    writer.commit(b"historic", status=b"u")
    for number in range(100):
        writer.commit(bytes([number]) * number * 100)
    pair.until_identical()
    assert read_bytes(pair.copy)[:4] == magic
    pair.secondary.restart()
    writer.commit(b"after the restart")
    pair.until_identical()


def test_following_a_file_with_the_magic_of_python_2(lab):
    follow(lab, raw_file_storage.MAGIC_PYTHON2)


def test_following_a_file_written_by_hand_with_the_magic_of_python_3(lab):
    follow(lab, raw_file_storage.MAGIC_PYTHON3)
