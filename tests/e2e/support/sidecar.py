"""A zrs process: its configuration, its life, and what it says about itself."""

import json
import os
import subprocess

from . import config
from .process import Process
from .waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.environ.get("ZRS_BINARY") or os.path.join(ROOT, "bazel-bin", "zrs")


def run_zrs(*arguments, timeout=60, binary=None):
    """A command that ends by itself; (exit code, stdout, stderr)."""
    done = subprocess.run([binary or BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr


class Sidecar:
    """`sections` are storages as made by config.primary and its neighbours; `directory` gets all that is ours; `keys`
    are pairs for <sidecar>."""

    def __init__(self, name, directory, *sections, env=None, prefix=(), binary=None, keys=()):
        os.makedirs(directory, exist_ok=True)
        self.name = name
        self.directory = directory
        self.binary = binary or BINARY
        self.admin_socket = os.path.join(directory, "admin.sock")
        self.state_dir = os.path.join(directory, "state")
        os.makedirs(self.state_dir, exist_ok=True)
        self.config = os.path.join(directory, "zrs.conf")
        self._keys = keys
        self.configure(*sections)
        environment = dict(os.environ, **(env or {}))
        self.process = Process(name, [*prefix, self.binary, "run", "--config", self.config],
                               os.path.join(directory, "zrs.log"), environment)

    def configure(self, *sections):
        """Writes the configuration; read at the next start."""
        with open(self.config, "w", encoding="utf-8") as file:
            sidecar = config.sidecar_section(self.admin_socket, self.state_dir, self._keys)
            file.write("\n".join([sidecar, *sections]))

    # Life.

    def start(self):
        """Starts it and waits until it answers."""
        self.process.start()
        until(self._up, lambda: f"{self.name} to answer\n{self.process.log_tail()}")
        return self

    def _up(self):
        assert self.process.running(), f"{self.name} ended at its start\n{self.process.log_tail()}"
        return self.try_status() is not None

    def stop(self):
        """SIGTERM, and it must end well."""
        code = self.process.terminate()
        assert code == 0, f"{self.name} ended with {code}\n{self.process.log_tail()}"

    def kill(self):
        """SIGKILL."""
        self.process.kill()

    def restart(self):
        self.stop()
        return self.start()

    # What it says.

    def try_status(self):
        """The whole answer of `zrs status --json`, or None where there is none."""
        code, out, _ = run_zrs("status", "--config", self.config, "--json")
        return json.loads(out) if code == 0 else None

    def status(self):
        code, out, err = run_zrs("status", "--config", self.config, "--json")
        assert code == 0, f"zrs status of {self.name} ended with {code}: {err}\n{self.process.log_tail()}"
        return json.loads(out)

    def storage(self, name="main"):
        """One storage's part of the status."""
        found = [storage for storage in self.status()["storages"] if storage["name"] == name]
        assert len(found) == 1, f"{self.name} does not have one storage {name!r}"
        return found[0]

    def until_storage(self, condition, what, name="main", timeout=30):
        """Waits until `condition(storage status)` is true; returns that status."""
        last = {}

        def check():
            last["status"] = self.storage(name)
            return last["status"] if condition(last["status"]) else None

        return until(check, lambda: f"{self.name}: {what}; last was {json.dumps(last, indent=1)}\n"
                                    f"{self.process.log_tail()}", timeout, interval=0.05)

    def until_state(self, *states, name="main", timeout=30):
        return self.until_storage(lambda s: s["state"] in states, " or ".join(states), name, timeout)

    def until_streaming(self, name="main", timeout=30):
        return self.until_state("streaming", name=name, timeout=timeout)

    def until_refused(self, name="main", timeout=30):
        """Waits until the storage says that something is wrong that a person has to look at: here, or at its peer."""

        def refused(storage):
            error = storage["error"]
            by_peer = error and error["message"].startswith(("upstream ", "protected "))
            return error and (by_peer or storage["state"] in ("diverged", "stopped"))

        return self.until_storage(refused, "an error that stops it", name, timeout)

    def wait(self, *arguments, timeout=60):
        """Exit code of `zrs wait`."""
        return run_zrs("wait", "--config", self.config, "--timeout", str(timeout), *arguments, timeout=timeout + 30)[0]
