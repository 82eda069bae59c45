"""The same file by rsync from a daemon on the loopback, whole, with one fsync at the end."""

import os
import shutil
import subprocess
import time

from support.ports import free_port
from support.process import Process
from support.waiting import until

_PATH = shutil.which("rsync")


def available():
    return _PATH is not None


def copy(lab, source, target):
    """Seconds until the copy is durable."""
    port = free_port()
    configuration = lab.path("rsyncd.conf")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(f"use chroot = no\nlog file = /dev/null\n[data]\n  path = {os.path.dirname(source)}\n"
                   f"  uid = {os.getuid()}\n  gid = {os.getgid()}\n")
    daemon = Process("rsync", [_PATH, "--daemon", "--no-detach", f"--port={port}", f"--config={configuration}",
                               "--address=127.0.0.1"], lab.path("rsync.log"))
    daemon.start()
    lab.at_close(daemon.kill)
    url = f"rsync://127.0.0.1:{port}/data/"
    until(lambda: subprocess.run([_PATH, url], capture_output=True, check=False).returncode == 0, "rsync's daemon")
    begin = time.monotonic()
    subprocess.run([_PATH, "--whole-file", "--inplace", url + os.path.basename(source), target], check=True)
    with open(target, "rb") as file:
        os.fsync(file.fileno())
    seconds = time.monotonic() - begin
    daemon.kill()
    assert os.path.getsize(target) == os.path.getsize(source)
    return seconds
