"""A real ZEO server on a real Data.fs."""

import os
import sys

import ZEO

from .ports import free_port
from .process import Process
from .waiting import until

_CONF = """\
<zeo>
  address 127.0.0.1:{port}
</zeo>
<filestorage 1>
  path {path}
</filestorage>
<eventlog>
  level info
  <logfile>
    path STDOUT
  </logfile>
</eventlog>
"""


class ZeoServer:
    """`runzeo` in a process of its own; `directory` gets zeo.conf, the log, and Data.fs unless a path is given."""

    def __init__(self, directory, path=None):
        os.makedirs(directory, exist_ok=True)
        self.path = path or os.path.join(directory, "Data.fs")
        self.port = free_port()
        self.config = os.path.join(directory, "zeo.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(_CONF.format(port=self.port, path=self.path))
        runzeo = os.path.join(os.path.dirname(sys.executable), "runzeo")
        self.process = Process("zeo", [runzeo, "-C", self.config], os.path.join(directory, "zeo.log"))

    def start(self):
        before = self._times_up()
        self.process.start()
        until(lambda: self._times_up() > before, lambda: f"ZEO to listen\n{self.process.log_tail()}")
        return self

    def _times_up(self):
        return self.process.log().count("listening on")

    def stop(self):
        if self.process.running():
            self.process.terminate()
        self.process.kill()

    def client(self, wait_timeout=20, **options):
        """A ZODB.DB over a new connection; the caller closes it."""
        return ZEO.DB(("127.0.0.1", self.port), wait_timeout=wait_timeout, **options)
