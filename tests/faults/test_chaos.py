"""Whatever happens to processes, connections and disks: every copy is a beginning of what the primary's file was, holds
what was promised, and has everything in the end."""

import collections
import contextlib
import random

from cluster import Cluster
from kinds import draw
from support.waiting import Stopwatch


def test_chaos(lab, loop_seconds, seed):
    cluster = Cluster(lab, seed)
    clock = Stopwatch(loop_seconds)
    number, seen = 0, collections.Counter()
    while clock.running() or number < 3:
        play_round(cluster, number, random.Random(f"{seed} {number}"), seen)
        number += 1
    cluster.finish()
    spoiled = sum(link.spoiled_pieces for link in cluster.links.values())
    print(f"{number} rounds: {dict(seen.most_common())}; {spoiled} pieces were truncated or flipped in fact")


def play_round(cluster, number, chance, seen):
    faults = draw(cluster, chance)
    pack = cluster.wants_a_pack(chance)
    print(f"round {number}: {', '.join(fault.name for fault in faults)}{', and a pack' if pack else ''}", flush=True)
    seen.update([fault.kind for fault in faults] + ["pack"] * pack)
    if pack:
        cluster.until_well()
        cluster.begin_pack()
    with contextlib.ExitStack() as happening:
        for fault in faults:
            happening.enter_context(fault.made())
            cluster.work(chance)
        cluster.check()
    cluster.check_that_all_run()
    cluster.check()
    if chance.random() < 0.3:
        cluster.until_well()
