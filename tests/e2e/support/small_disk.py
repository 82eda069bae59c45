"""A disk that is soon full."""

import os
import subprocess

import pytest

from .process import Process


def in_a_small_disk(directory, size):
    """The command's prefix for a view of the file system in which `directory` is a disk of this size of its own."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    prefix = ("unshare", "--mount", *user, "sh", "-c",
              f"mount -t tmpfs -o size={size} tmpfs {directory} && exec \"$@\"", "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    return prefix


def kept_small_disk(lab, directory, size):
    """As in_a_small_disk, but the disk outlives the command: (the process that has it, prefix)."""
    holder = Process("disk", [*in_a_small_disk(directory, size), "sh", "-c", "echo mounted; exec sleep infinity"],
                     lab.path("disk.log"))
    lab.at_close(holder.kill)
    holder.start()
    holder.until_logged("mounted")
    return holder, _into(holder)


def _into(process):
    user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    return ("nsenter", "--target", str(process.pid), "--mount", *user)


def resize(process, directory, size):
    """Gives the disk that a running process has at `directory` another size."""
    subprocess.run([*_into(process), "mount", "-o", f"remount,size={size}", directory], check=True)


def as_seen_by(process, path):
    """The path under which anybody finds what only that process has at `path`."""
    return f"/proc/{process.pid}/root{path}"


def fill(process, directory):
    """Takes all the room that is left on a process's disk."""
    with open(_taken(process, directory), "ab", buffering=0) as file:
        for block in (1 << 20, 4096):
            with pytest.raises(OSError, match="No space left"):
                while file.write(bytes(block)) == block:
                    pass
                os.write(file.fileno(), bytes(4096))


def empty(process, directory):
    """Gives back what fill() has taken."""
    os.remove(_taken(process, directory))


def _taken(process, directory):
    return os.path.join(as_seen_by(process, directory), "taken")
