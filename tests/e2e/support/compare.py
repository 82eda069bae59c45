"""Comparing a copy with its original, byte for byte."""

import os

from compare_files import first_difference

from .waiting import until

def size_of(path):
    """Bytes, or -1 where there is no file."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return -1


def is_identical(primary_path, secondary_path):
    # The size again at last: while a group turns its file has all bytes, and perhaps the next one's announcement.
    return (size_of(primary_path) == size_of(secondary_path) >= 4
            and first_difference(primary_path, secondary_path) is None
            and size_of(primary_path) == size_of(secondary_path))


def assert_identical(primary_path, secondary_path):
    """Now, without waiting."""
    sizes = f"primary {size_of(primary_path)} bytes, secondary {size_of(secondary_path)} bytes"
    assert size_of(secondary_path) >= 0, f"{secondary_path} does not exist"
    difference = first_difference(primary_path, secondary_path)
    assert difference is None, f"{secondary_path} differs at offset {difference}; {sizes}"
    assert size_of(primary_path) == size_of(secondary_path), sizes


def assert_prefix(primary_path, secondary_path):
    """The copy is some beginning of the original."""
    assert size_of(secondary_path) <= size_of(primary_path)
    difference = first_difference(primary_path, secondary_path)
    assert difference is None, f"{secondary_path} differs at offset {difference}"


def same_beginning(first_path, second_path, size):
    """Whether both files have as many bytes, and the same ones up to there."""
    if min(size_of(first_path), size_of(second_path)) < size:
        return False
    with open(first_path, "rb") as first, open(second_path, "rb") as second:
        while second.tell() < size:
            block = min(1 << 20, size - second.tell())
            if first.read(block) != second.read(block):
                return False
    return True


def until_identical(primary_path, *secondary_paths, timeout=60):
    """Waits until every copy equals the original, which nobody writes any more."""
    for path in secondary_paths:
        until(lambda path=path: size_of(path) == size_of(primary_path),
              lambda path=path: f"{path} ({size_of(path)} bytes) to have the {size_of(primary_path)} of {primary_path}",
              timeout)
        # The size is there before the last group's status byte turns.
        until(lambda path=path: is_identical(primary_path, path),
              lambda path=path: f"{path} ({size_of(path)} bytes) to equal {primary_path}: first difference at "
                                f"{first_difference(primary_path, path)}", timeout)


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()
