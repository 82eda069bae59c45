"""disk_shim.cc: a slower disk, and one that tells when what was written is durable."""

import os
import struct

from support.preload import built

_HERE = os.path.dirname(os.path.abspath(__file__))
_RECORD = struct.Struct("=qqqq")
_SYNC = 0
_CUT = -1
_MAGIC = 4
_ANNOUNCEMENT = 17
_IN_PROGRESS = ord("c")
_SECTOR = 512


def preloaded(lab, **settings):
    """The environment of a process that has it: preloaded(lab, DELAY_MS=5, TRACE=path)."""
    shim = built(lab, os.path.join(_HERE, "disk_shim.cc"))
    return shim | {f"ZRS_SHIM_{name}": str(value) for name, value in settings.items()}


def durable_ends(trace):
    """[(committed end, when it was durable)] of a secondary that began with an empty file, from its writes and syncs.

    A group is written as filestorage/appender.h says: its first 17 bytes announce it; the rest follows, perhaps the
    next group is announced behind it, and is synced; the first bytes turn, a part at a time where they lie in two
    sectors; the sync behind that makes it durable. Zeros may be written behind an announcement between groups, and are
    cut off before a group turns behind which none is announced.
    """
    with open(trace, "rb") as file:
        records = list(_RECORD.iter_unpack(file.read()))
    ends, committed, tail, following, turned = [], _MAGIC, _MAGIC, None, False
    for nanoseconds, offset, size, status in records:
        if size == _SYNC and turned:
            committed = tail = following or tail
            following, turned = None, False
            ends.append((committed, nanoseconds / 1e9))
        elif size == _CUT:
            tail, following = offset, None
        elif size == _ANNOUNCEMENT and status == _IN_PROGRESS:
            following = offset if offset > committed else None
        elif size == _ANNOUNCEMENT and offset == committed:
            turned = committed % _SECTOR <= _SECTOR - _ANNOUNCEMENT
        elif size == 1 and offset == committed + 8:
            turned = True
        else:
            tail = max(tail, offset + size)
    return ends
