"""What can happen to a cluster; each is a context in which it has happened, and after which it is over."""

import contextlib
import dataclasses
import signal
from collections.abc import Callable

from support import small_disk


@contextlib.contextmanager
def killed(process, start):
    process.kill()
    yield
    start()


@contextlib.contextmanager
def stood_still(process):
    process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)


@contextlib.contextmanager
def restarted(process, start):
    code = process.terminate()
    assert code == 0, f"{process.name} ended with {code}\n{process.log_tail()}"
    yield
    start()


@contextlib.contextmanager
def spoiled(link, how, arguments, anew):
    getattr(link, how)(*arguments)
    if anew:
        link.cut()
    yield
    link.heal()


@contextlib.contextmanager
def full(cluster):
    small_disk.fill(cluster.small_disk, cluster.small_directory)
    yield
    small_disk.empty(cluster.small_disk, cluster.small_directory)


@dataclasses.dataclass
class Fault:
    kind: str
    name: str
    made: Callable[[], contextlib.AbstractContextManager]


def _of_a_process(name, process, start, chance):
    kind = chance.choice(("killed", "killed", "stood still"))
    made = (lambda: killed(process, start)) if kind == "killed" else lambda: stood_still(process)
    return Fault(kind, f"{name} {kind}", made)


def _of_a_sidecar(sidecar, chance):
    if chance.random() < 0.25:
        return Fault("restarted", f"{sidecar.name} restarted", lambda: restarted(sidecar.process, sidecar.start))
    return _of_a_process(sidecar.name, sidecar.process, sidecar.start, chance)


def _of_a_link(name, link, chance):
    how = chance.choice(("cut", "reset", "half_close", "stall", "truncate", "flip_bit", "flip_bit"))
    from_follower, after = chance.random() < 0.4, int(chance.expovariate(0.3))
    arguments = {"half_close": (from_follower,), "truncate": (from_follower, after),
                 "flip_bit": (from_follower, after, chance.random(), 0)}.get(how, ())
    # Of what is said at the beginning of a connection, too.
    anew = how in ("truncate", "flip_bit") and chance.random() < 0.5
    return Fault(how, f"link of {name} {how}{arguments}{' anew' if anew else ''}",
                 lambda: spoiled(link, how, arguments, anew))


def draw(cluster, chance):
    """One fault, or several at once, each of another victim."""
    victims = ["zeo", "client", "disk", *cluster.sidecars, *cluster.links, *cluster.links]
    some = chance.sample(victims, chance.choice((1, 1, 1, 2, 3)))
    return [_of(victim, cluster, chance) for victim in dict.fromkeys(some)]


def _of(victim, cluster, chance):
    if victim == "disk":
        return Fault("disk full", "disk full", lambda: full(cluster))
    if victim == "zeo":
        return _of_a_process("zeo", cluster.zeo.process, cluster.zeo.start, chance)
    if victim == "client":
        return _of_a_process("client", cluster.client, cluster.client.start, chance)
    if victim in cluster.links:
        return _of_a_link(victim, cluster.links[victim], chance)
    return _of_a_sidecar(victim, chance)
