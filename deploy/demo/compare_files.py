"""Says whether a copy is byte-identical to its original, and if not, what differs.

    compare_files.py ORIGINAL COPY [--growing]

Exit code 0: identical, 1: not. With --growing the original is still being written: the copy must equal its first bytes.
"""

import argparse
import os
import sys

BLOCK = 1 << 20


def first_difference(original, copy):
    """Offset of the first byte that differs in the length that both have; None where there is none."""
    with open(original, "rb") as first, open(copy, "rb") as second:
        offset = 0
        while True:
            ours, theirs = first.read(BLOCK), second.read(BLOCK)
            common = min(len(ours), len(theirs))
            if ours[:common] != theirs[:common]:
                return offset + next(i for i in range(common) if ours[i] != theirs[i])
            if common < BLOCK:
                return None
            offset += common


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original")
    parser.add_argument("copy")
    parser.add_argument("--growing", action="store_true")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.copy):
        print(f"secondary has no file: {arguments.copy} does not exist")
        return 1
    copied = os.path.getsize(arguments.copy)
    offset = first_difference(arguments.original, arguments.copy)
    if not arguments.growing:
        copied = os.path.getsize(arguments.copy)
    size = os.path.getsize(arguments.original)
    if offset is None and (size == copied or (arguments.growing and 4 <= copied < size)):
        rest = "" if size == copied else f", the first of the {size:,} that the primary has grown to"
        print(f"secondary is byte-identical: {copied:,} bytes{rest}")
        return 0
    where = "one is the beginning of the other" if offset is None else f"the first difference is at offset {offset}"
    print(f"secondary differs: {where}; primary {size} bytes, secondary {copied} bytes")
    return 1


if __name__ == "__main__":
    sys.exit(main())
