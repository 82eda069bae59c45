"""The primary is lost at any moment, again and again: what was promised is at the promoted one, and whoever has more
than it is diverged, and nobody else."""

import collections
import random

from hosts import Database
from support.compare import size_of
from support.waiting import Stopwatch, until


def test_failover_chaos(lab, loop_seconds, seed):
    database = Database(lab, seed)
    clock = Stopwatch(loop_seconds)
    number, seen = 0, collections.Counter()
    while clock.running() or number < 2:
        play_round(database, number, random.Random(f"{seed} {number}"), seen)
        number += 1
    print(f"{number} rounds: {dict(seen.most_common())}")


def play_round(database, number, chance, seen):
    old, promoted = database.primary, chance.choice(database.secondaries())
    pack = chance.choice(("", "", " is packed and", " is being packed and"))
    if pack == " is packed and":
        database.pack()
    trouble = hinder(database, chance)
    print(f"round {number}: {old.name}{pack} is lost, {promoted.name} takes over; before: {trouble}", flush=True)
    wanted = size_of(old.path) + chance.choice((1, 50_000, 500_000))
    until(lambda: size_of(old.path) >= wanted, "commits")
    if pack == " is being packed and":
        database.begin_pack(chance)
    database.lose_primary(chance)
    promised = database.application.promised.get(2, 0)
    for host in database.hosts:
        host.link.heal()
    fork = database.promote(promoted, chance)
    assert promoted.number() >= promised, "what all secondaries had is lost"
    database.serve()
    # The old primary at last: it may publish what it has more until it is told that it is a secondary.
    for host in sorted(database.secondaries(), key=lambda host: host is old):
        seen[database.follow_the_new_one(host, fork, chance)] += 1
    database.until_all_have_it()
    seen.update(trouble + [f"it{pack} lost"] * bool(pack))


def hinder(database, chance):
    """What keeps secondaries from having the last commits."""
    done = []
    for host in database.secondaries():
        kind = chance.choice(("nothing", "nothing", "stall", "cut", "behind"))
        if kind == "behind":
            host.sidecar.restart()
        elif kind != "nothing":
            getattr(host.link, kind)()
        done.append(kind)
    return done
