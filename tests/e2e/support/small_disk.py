"""A disk that is soon full."""

import os
import subprocess

import pytest


def in_a_small_disk(directory, size):
    """The command's prefix for a view of the file system in which `directory` is a disk of this size of its own."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    prefix = ("unshare", "--mount", *user, "sh", "-c",
              f"mount -t tmpfs -o size={size} tmpfs {directory} && exec \"$@\"", "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    return prefix
