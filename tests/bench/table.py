"""The results as a Markdown table: what was measured, what is required, and whether it is so."""

_LIMIT_MEMORY = 48e6


def _verdict(holds):
    return "yes" if holds else "**no**"


def _row(what, measured, required="", holds=None):
    return f"| {what} | {measured} | {required} | {'' if holds is None else _verdict(holds)} |"


def _milliseconds(values):
    return f"p50 {values['p50']:.2f} ms, p99 {values['p99']:.2f} ms"


def _copy_rows(result, label):
    size = result["bytes"]
    ratio = result["ratioToPlainTcp"]
    yield _row(f"first copy of {label}, {size / 1e6:,.0f} MB",
               f"{result['copyMegabytesPerSecond']:.0f} MB/s, {ratio:.2f} of plain TCP "
               f"({min(result['ratios']):.2f} to {max(result['ratios']):.2f})", "at least 0.6", ratio >= 0.6)
    yield _row("- plain TCP: sendfile, one fsync", f"{result['plainTcpMegabytesPerSecond']:.0f} MB/s")
    if result["rsyncSeconds"]:
        yield _row("- rsync over a loopback daemon", f"{size / result['rsyncSeconds'] / 1e6:.0f} MB/s")
    else:
        yield _row("- rsync over a loopback daemon", "not installed")
    if result.get("incumbent"):
        yield _row("- zc.zrs 3.1 (on 100 MB)", f"{result['incumbent']:.0f} MB/s")
    elif "incumbentSkipped" in result:
        yield _row("- zc.zrs 3.1", f"could not be installed: {result['incumbentSkipped']}")
    for who, name in (("secondary", "secondary"), ("primaryAllRounds", "primary")):
        peak = result[who]["peakMemory"]
        yield _row(f"- peak resident memory, {name}", f"{peak / 1e6:.0f} MB", "at most 48 MB", peak <= _LIMIT_MEMORY)


def _lag_rows(result):
    visible, durable, theirs = (result["visibleMilliseconds"], result["durableMilliseconds"], result["incumbent"])
    rate = f"{result['commitsPerSecond']:g} commits/s"
    known = theirs is not None
    yield _row(f"lag at {rate}, to visible", _milliseconds(visible),
               "p50 at most zc.zrs'", visible["p50"] <= theirs["p50"] if known else None)
    yield _row("- to durable on the secondary", _milliseconds(durable), "p50 at most 1.5 times zc.zrs'",
               durable["p50"] <= 1.5 * theirs["p50"] if known else None)
    yield _row("- the same, p99", f"{durable['p99']:.2f} ms", "at most 3 ms", durable["p99"] <= 3)
    yield _row("- to the answer of Admin.Wait at the primary", _milliseconds(result["waitMilliseconds"]))
    yield _row("- a call of it that waits for nothing", _milliseconds(result["adminRoundTripMilliseconds"]))
    yield _row("- zc.zrs 3.1, to visible",
               _milliseconds(theirs) if known else f"could not be installed: {result['incumbentSkipped']}")
    yield _row("- how late this machine wakes up a process that sleeps",
               _milliseconds(result["machineLateMilliseconds"]))
    yield _row("- how long an append and two syncs take on this disk", _milliseconds(result["twoSyncsMilliseconds"]))


def _full_speed_rows(result):
    yield _row(f"writer at full speed, {result['commitsPerSecond']:.0f} commits/s",
               f"{result['disconnects']} disconnects", "none", result["disconnects"] == 0)
    yield _row("- to visible", _milliseconds(result["visibleMilliseconds"]))
    durable = result["durableMilliseconds"]
    yield _row("- to durable", _milliseconds(durable), "p99 at most 20 ms", durable["p99"] <= 20)
    yield _row("- to the answer of Admin.Wait at the primary", _milliseconds(result["waitMilliseconds"]))


def _slow_disk_rows(result):
    yield _row("secondary's syncs 5 ms slower, writer at full speed",
               f"{result['appliedPerSecond']:.0f} of {result['commitsPerSecond']:.0f} commits/s, "
               f"{result['commitsPerGroup']:.1f} to a group of syncs", "more than 1.5", result["commitsPerGroup"] > 1.5)


def _writer_rows(result):
    losses = result["losses"]
    yield _row("writer's rate with a replica", f"{result['commitsPerSecondAttached']:.0f}/s, "
               f"{result['commitsPerSecondAlone']:.0f}/s without: {100 * result['loss']:+.1f} % lost "
               f"({100 * losses[0]:+.1f} to {100 * losses[-1]:+.1f})", "at most 5 %", result["loss"] <= 0.05)
    share = f"{100 * result['sidecarsOfACore']:.1f} %"
    yield _row(f"- beside a process that takes as much of a core ({share}) and does nothing",
               f"{100 * result['lossBesideABurner']:+.1f} % lost")


def _restart_rows(result):
    for name, key in (("secondary", "secondarySeconds"), ("primary", "primarySeconds")):
        yield _row(f"restart of the {name} to streaming, {result['bytes'] / 1e6:,.0f} MB", f"{result[key]:.2f} s",
                   "at most 0.3 s", result[key] <= 0.3)


def _idle_rows(result):
    for name in ("primary", "secondary"):
        share = 100 * result[f"{name}OfACore"]
        yield _row(f"idle {name}, over {result['seconds']} s", f"{share:.2f} % of a core", "at most 0.1 %",
                   share <= 0.1)
    yield _row(f"- a process that wakes up as often ({result['wakeUpsPerSecond']:.1f} times a second) and does nothing",
               f"{100 * result['sleeperOfACore']:.2f} % of a core")


def _followers_rows(result):
    yield _row(f"memory of a primary for each of {result['followers']} followers",
               f"{result['bytesEach'] / 1e6:.2f} MB", "at most 2 MB", result["bytesEach"] <= 2e6)


def _huge_rows(result):
    for name in ("primary", "secondary"):
        peak = result[f"{name}Peak"]
        yield _row(f"peak memory of the {name} while a transaction of {result['bytes'] / 1e9:.1f} GB passes",
                   f"{peak / 1e6:.0f} MB", "at most 48 MB", peak <= _LIMIT_MEMORY)


_ROWS = {
    "copy": lambda result: _copy_rows(result, "a site's file"),
    "tiny": lambda result: _copy_rows(result, "tiny transactions"),
    "lag": _lag_rows,
    "full-speed": _full_speed_rows,
    "slow-disk": _slow_disk_rows,
    "writer": _writer_rows,
    "restart": _restart_rows,
    "idle": _idle_rows,
    "followers": _followers_rows,
    "huge": _huge_rows,
}


def render(results):
    lines = ["| what | measured | required | holds |", "| --- | --- | --- | --- |"]
    for name, rows in _ROWS.items():
        if name in results:
            lines += rows(results[name])
    return "\n".join(lines)
