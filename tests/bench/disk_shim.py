"""disk_shim.cc: a slower disk, and one that tells when what was written is durable."""

import os
import struct
import subprocess

_HERE = os.path.dirname(os.path.abspath(__file__))
_RECORD = struct.Struct("=qqq")
_MAGIC = 4
_ANNOUNCEMENT = 17
_HEADER = 23
_SECTOR = 512


def preloaded(lab, **settings):
    """The environment of a process that has it: preloaded(lab, DELAY_MS=5, TRACE=path)."""
    library = lab.path("disk_shim.so")
    subprocess.run(["g++", "-shared", "-fPIC", "-O2", "-o", library, os.path.join(_HERE, "disk_shim.cc"), "-ldl"],
                   check=True)
    return {"LD_PRELOAD": library, **{f"ZRS_SHIM_{name}": str(value) for name, value in settings.items()}}


def durable_ends(trace):
    """[(committed end, when it was durable)] of a secondary that began with an empty file, from its writes and syncs.

    A group is written as filestorage/appender.h says: its first 17 bytes announce it; the rest follows and is synced;
    perhaps the next group is announced behind it; the first bytes turn, a part at a time where they lie in two sectors;
    the sync behind that makes it durable.
    """
    with open(trace, "rb") as file:
        records = list(_RECORD.iter_unpack(file.read()))
    ends, committed, tail, turned, whole = [], _MAGIC, _MAGIC, False, False
    for nanoseconds, offset, size in records:
        in_two = committed % _SECTOR > _SECTOR - _ANNOUNCEMENT
        if size == 0:
            whole = tail > committed
            if turned:
                committed, turned, whole = tail, False, False
                ends.append((committed, nanoseconds / 1e9))
        elif offset == committed and size == _ANNOUNCEMENT:
            turned = tail > committed + _HEADER and not in_two
        elif in_two and offset == committed + 8 and size == 1:
            turned = True
        elif not turned and not (whole and offset == tail and size == _ANNOUNCEMENT):
            tail = max(tail, offset + size)
    return ends
