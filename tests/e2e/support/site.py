"""The hosts that a page of documentation speaks of: their files, their services, and what is typed there."""

import os
import re
import shlex
import subprocess

import ZODB.config

from . import database as db
from .background import Background
from .compare import until_identical
from .ports import free_port
from .sidecar import BINARY
from .waiting import until
from .zeo_server import ZeoServer


class Host:
    """A directory of the lab stands for its root directory, and a free port for each of its own."""

    def __init__(self, lab, name):
        self.name = name
        self.root = os.path.join(lab.directory, name)
        self.services = {}
        self.ports = {}
        for directory in ("bin", "etc/zrs", "etc/app", "run/zrs", "var/lib/zeo", "var/lib/zrs", "var/lib/app"):
            os.makedirs(self.path("/" + directory))

    def path(self, path):
        return self.root + path

    def put_program(self, name, script):
        path = self.path("/bin/" + name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def shell(self, line):
        environment = dict(os.environ, PATH=self.path("/bin") + os.pathsep + os.environ["PATH"])
        return subprocess.run(["sh", "-c", line], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=90, check=False)


class DatabaseHost(Host):
    """With a ZEO server, and with `zrs` where nothing but its configuration's usual place has to be told."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.data = self.path("/var/lib/zeo/Data.fs")
        self.zeo = ZeoServer(self.path("/var/lib/zeo"), self.data)
        lab.at_close(self.zeo.stop)
        self.services["zeo"] = self.zeo
        self.background = Background(lab, name)
        self.sidecar = self.background.sidecar
        self.sidecar.config = self.path("/etc/zrs/zrs.conf")
        self.put_program("zrs", f'exec {BINARY} "$@" --config {self.sidecar.config}')
        self.ports = {"5000": free_port(), "8100": self.zeo.port}


class Application(Host):
    """A ZEO client by the configuration that the page shows, with its cache files."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.services["app"] = self
        self._database = None
        lab.at_close(self.stop)

    def start(self):
        self._database = ZODB.config.databaseFromURL(self.path("/etc/app/zodb.conf"))

    def stop(self):
        if self._database:
            self._database.close()
        self._database = None

    def put(self, key, value):
        until(self._database.storage.is_connected, "the application to find a ZEO server")
        db.put(self._database, key, value)

    def keys(self):
        until(self._database.storage.is_connected, "the application to find a ZEO server")
        with self._database.transaction() as connection:
            return set(connection.root())


class Site:
    """Hosts `one`, `two` and `three`, and `app`."""

    def __init__(self, lab, files):
        self.one, self.two, self.three = [DatabaseHost(lab, name) for name in ("one", "two", "three")]
        self.app = Application(lab, "app")
        self.hosts = {host.name: host for host in (self.one, self.two, self.three, self.app)}
        for file in files:
            for name in file.hosts:
                with open(self.hosts[name].path(file.path), "w", encoding="utf-8") as opened:
                    opened.write(self._meant(self.hosts[name], file.text))

    def start(self):
        """`one` is the primary of the others, and all have what the application has committed."""
        self.type("one", "systemctl start zeo")
        for name in ("one", "two", "three"):
            self.type(name, "zrs start")
        self.type("app", "systemctl start app")
        for number in range(20):
            self.app.put(f"key-{number}", number)
        self.until_identical(self.one, self.two, self.three)
        for host in (self.two, self.three):
            host.sidecar.until_storage(lambda s: s["state"] == "streaming" and s["lagSeconds"] == 0, "everything")

    def configure(self, host, setting):
        """A line for its storage."""
        path = host.path("/etc/zrs/zrs.conf")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("<zrs main>", f"<zrs main>\n  {self._meant(host, setting)}"))

    def follow(self, page, heading):
        """Types what the page says there; what that has printed."""
        return "".join(self.type(command.host, command.line) for command in page.under(heading))

    def type(self, name, line):
        host = self.hosts[name]
        words = shlex.split(line)
        if words[0] == "systemctl":
            action, service = words[1:]
            {"start": host.services[service].start, "stop": host.services[service].stop}[action]()
            return ""
        done = host.shell(self._meant(host, line))
        assert done.returncode == 0, f"{name}$ {line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def until_identical(self, primary, *others):
        until_identical(primary.data, *(host.data for host in others))

    def _meant(self, host, text):
        """What the page says, with the paths and the ports that they are here."""
        text = re.sub(r"(?<=\s)/(?=(etc|run|var)/)", host.root + "/", text)
        text = re.sub(r"\b(one|two|three):(\d+)", lambda at: f"127.0.0.1:{self.hosts[at[1]].ports[at[2]]}", text)
        return re.sub(r"(?<=replicate-to )\d+", lambda port: str(host.ports[port[0]]), text)
