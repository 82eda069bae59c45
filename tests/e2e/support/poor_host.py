"""Hosts on which something has run out: prefixes of a command."""

import os
import subprocess

import pytest


def _usable(prefix, what):
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this user may not {what}")
    return prefix


def with_few_descriptors(limits):
    """No more than so many open files: "SOFT:HARD"."""
    return _usable(("prlimit", f"--nofile={limits}", "--"), "limit open files")


def without_inotify(what):
    """No inotify `what`, "watches" or "instances", is left to this user."""
    script = f'echo 0 > /proc/sys/user/max_inotify_{what} && exec "$@"'
    return _usable(("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"), "make a user namespace")


def with_a_read_only_directory(directory):
    """A view of the file system in which `directory` cannot be changed, by root neither."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    script = f'mount --bind {directory} {directory} && mount -o remount,ro,bind {directory} && exec "$@"'
    return _usable(("unshare", "--mount", *user, "sh", "-c", script, "sh"), "mount")
