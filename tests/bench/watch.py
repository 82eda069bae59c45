"""When a commit becomes visible in a file, as somebody who opens it would see it."""

import os
import time

from support import raw_file_storage

# Between two looks at the file. A look is one or two system calls; without a pause it would take a core.
_PAUSE = 0.00005


def percentiles(values):
    """Of seconds, in milliseconds."""
    ordered = sorted(values)
    return {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000
            for name, part in (("p50", 0.50), ("p99", 0.99), ("max", 1.0))}


def watch(path, stop, answer):
    """In a process of its own: says when it begins; then notes when each committed end becomes visible.

    Answers ([(end, when)], seconds between two looks) once `stop` is set.
    """
    seen = []
    descriptor = os.open(path, os.O_RDONLY)
    position = raw_file_storage.committed_end(path)
    looks = 0
    answer.send("looking")
    begin = time.monotonic()
    while not stop.is_set():
        looks += 1
        header = os.pread(descriptor, raw_file_storage.HEADER.size, position)
        while len(header) == raw_file_storage.HEADER.size:
            _, length, status = raw_file_storage.HEADER.unpack(header)[:3]
            if status == b"c" or os.fstat(descriptor).st_size < position + length + 8:
                break
            position += length + 8
            seen.append((position, time.monotonic()))
            header = os.pread(descriptor, raw_file_storage.HEADER.size, position)
        time.sleep(_PAUSE)
    answer.send((seen, (time.monotonic() - begin) / looks))
    os.close(descriptor)
