"""A sidecar in the background, which `zrs start` has started."""

import contextlib
import os
import signal

import psutil

from .sidecar import run_zrs
from .waiting import until


class Background:
    """`sidecar` is there for its configuration and its status; whatever runs with that configuration is killed with the
    lab."""

    def __init__(self, lab, name, *sections):
        self.sidecar = lab.sidecar(name, *sections)
        lab.at_close(self.end)

    def command(self, *arguments, timeout=60):
        return run_zrs(*arguments, "--config", self.sidecar.config, timeout=timeout)

    def pids(self):
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if alive and self.sidecar.config in (process.info["cmdline"] or ()):
                found.append(process.pid)
        return found

    def end(self):
        """SIGKILL, and waits until it is gone."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.pids(), lambda: f"the end of {self.pids()}")
