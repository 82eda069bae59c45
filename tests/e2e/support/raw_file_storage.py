"""The FileStorage format by hand: for files that today's ZODB does not write, and to look at files that it does."""

import struct

MAGIC_PYTHON2 = b"FS21"
MAGIC_PYTHON3 = b"FS30"
HEADER = struct.Struct(">8sQcHHH")
_RECORD = struct.Struct(">8s8sQQHQ")


def transaction(position, number, data, status=b" ", user=b"", description=b"", extension=b""):
    """Bytes of a transaction at `position` with one record per item of `data`; `number` is its tid.

    An empty item is a record with a zero back pointer: a deleted object.
    """
    tid = number.to_bytes(8, "big")
    head = user + description + extension
    records = b""
    for oid, pickle in enumerate(data):
        records += _RECORD.pack(oid.to_bytes(8, "big"), tid, 0, position, 0, len(pickle)) + (pickle or bytes(8))
    length = HEADER.size + len(head) + len(records)
    header = HEADER.pack(tid, length, status, len(user), len(description), len(extension))
    return header + head + records + length.to_bytes(8, "big")


def transactions(path):
    """(offset, tid, status, length with the trailing 8) of each transaction that is wholly in the file."""
    found = []
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        offset = 4
        while True:
            file.seek(offset)
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                break
            tid, length, status = HEADER.unpack(header)[:3]
            if offset + length + 8 > end:
                break
            found.append((offset, tid, status, length + 8))
            offset += length + 8
    return found


def committed_end(path):
    """Where the first transaction begins that is not committed, or the end of the last one."""
    end = 4
    for offset, _, status, length in transactions(path):
        if status == b"c":
            break
        end = offset + length
    return end
