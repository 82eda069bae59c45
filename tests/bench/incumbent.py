"""zc.zrs, the incumbent, beside zrs in the same run: where it installs, with the newest ZODB that it works with."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import time

from cache import cache_directory
from support import database as db
from support import raw_file_storage
from support.ports import free_port
from watch import percentiles, watch

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGES = ["zc.zrs==3.1.0", "ZODB<5.6"]


def environment():
    """The interpreter of an environment that has it, made when it is first asked for; None and the reason, if not."""
    directory = os.path.join(cache_directory(), f"venv-zc.zrs-{sys.version_info[0]}.{sys.version_info[1]}")
    python = os.path.join(directory, "bin", "python")
    if os.path.exists(os.path.join(directory, "complete")):
        return python, None
    shutil.rmtree(directory, ignore_errors=True)
    for command in (["/usr/bin/python3", "-m", "venv", directory],
                    [python, "-m", "pip", "install", "--quiet", "--no-input", *_PACKAGES],
                    [python, "-c", "import zc.zrs.primary, zc.zrs.secondary"]):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, (done.stderr.strip().splitlines() or ["no word of why"])[-1]
    with open(os.path.join(directory, "complete"), "w", encoding="ascii"):
        pass
    return python, None


class _Role:
    """One of the two processes; ends with the lab."""

    def __init__(self, lab, python, role, path, port):
        with open(lab.path(f"incumbent-{role}.log"), "ab") as log:
            self._popen = subprocess.Popen([python, os.path.join(_HERE, "incumbent_process.py"), role, path, str(port)],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        lab.at_close(self.end)
        assert self._popen.stdout.readline() == "ready\n", f"zc.zrs' {role} did not start"

    def ask(self, line):
        """The lines of its answer."""
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()
        answer = []
        for got in self._popen.stdout:
            if got == "done\n":
                return answer
            answer.append(got)
        raise AssertionError("zc.zrs ended; its log is in the benchmark's directory")

    def end(self):
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()


def first_copy(lab, python, path, last_tid):
    """Seconds from the start of the secondary's process until it has the whole file."""
    original = lab.path("incumbent", "Data.fs")
    shutil.copyfile(path, original)
    port = free_port()
    primary = _Role(lab, python, "primary", original, port)
    begin = time.monotonic()
    secondary = _Role(lab, python, "secondary", lab.path("incumbent-copy", "Data.fs"), port)
    secondary.ask(f"until {last_tid.hex()}")
    seconds = time.monotonic() - begin
    for role in (secondary, primary):
        role.end()
    shutil.rmtree(os.path.dirname(original))
    shutil.rmtree(os.path.dirname(lab.path("incumbent-copy", "Data.fs")))
    return seconds


def lag(lab, python, rate, seconds):
    """From the return of a commit to its visibility in the secondary's file, which zc.zrs also calls done."""
    path, copy = lab.path("incumbent", "Data.fs"), lab.path("incumbent-copy", "Data.fs")
    db.fill(path)
    port = free_port()
    primary = _Role(lab, python, "primary", path, port)
    secondary = _Role(lab, python, "secondary", copy, port)
    primary.ask(f"commits {rate} 1")
    secondary.ask(f"until {raw_file_storage.transactions(path)[-1][1].hex()}")
    ours, theirs = multiprocessing.Pipe()
    stop = multiprocessing.Event()
    watcher = multiprocessing.Process(target=watch, args=(copy, stop, theirs))
    watcher.start()
    ours.recv()
    committed = [line.split() for line in primary.ask(f"commits {rate} {seconds}")]
    secondary.ask(f"until {raw_file_storage.transactions(path)[-1][1].hex()}")
    time.sleep(0.2)  # until the watcher has looked once more
    stop.set()
    seen = dict(ours.recv()[0])
    watcher.join()
    for role in (secondary, primary):
        role.end()
    return percentiles([seen[int(end)] - float(returned) for end, returned in committed])
