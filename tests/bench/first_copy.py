"""How fast an empty secondary gets a large file, beside other copies of the same file in the same minute."""

import os
import shutil
import time

import plain_tcp
import psutil
import rsync_daemon
from support import config
from support.compare import assert_identical, size_of
from support.ports import free_address
from support.waiting import until


def _usage(sidecar):
    process = psutil.Process(sidecar.process.pid)
    times = process.cpu_times()
    return {"cpuSeconds": times.user + times.system, "peakMemory": sidecar.process.peak_memory()}


def _copy_once(lab, path, address, number):
    """Seconds from the start of the secondary's process until it says that everything is durable."""
    size = os.path.getsize(path)
    copy = lab.path(f"secondary-{number}", "Data.fs")
    secondary = lab.sidecar(f"secondary-{number}", config.secondary(copy, address))
    begin = time.monotonic()
    secondary.process.start()
    until(lambda: size_of(copy) == size, "the whole copy", timeout=600, interval=0.001)
    until(lambda: (secondary.try_status() or {"storages": [{}]})["storages"][0].get("committedEnd") == size,
          "the copy to be durable", timeout=60, interval=0.001)
    seconds = time.monotonic() - begin
    usage = _usage(secondary)
    secondary.stop()
    assert_identical(path, copy)
    shutil.rmtree(os.path.dirname(copy))
    return seconds, usage


def measure(lab, path, rounds):
    """A result for the table; the baseline and the copy take turns."""
    size = os.path.getsize(path)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address))
    begin = time.monotonic()
    primary.process.start()
    until(lambda: (primary.try_status() or {"storages": [{}]})["storages"][0].get("committedEnd") == size,
          "the primary to have looked at the whole file", timeout=120)
    scan = time.monotonic() - begin
    plain, rsync, copies, usage = [], [], [], {}
    for number in range(rounds):
        target = lab.path("plain", "Data.fs")
        plain.append(plain_tcp.copy(path, target))
        os.remove(target)
        if rsync_daemon.available():
            rsync.append(rsync_daemon.copy(lab, path, target))
            os.remove(target)
        seconds, usage = _copy_once(lab, path, address, number)
        copies.append(seconds)
    primary_usage = _usage(primary)
    primary.stop()
    plain_median, copy_median = sorted(plain)[rounds // 2], sorted(copies)[rounds // 2]
    return {
        "bytes": size,
        "rounds": rounds,
        "firstLookSeconds": scan,
        "plainTcpSeconds": plain_median,
        "plainTcpMegabytesPerSecond": size / plain_median / 1e6,
        "copySeconds": copy_median,
        "copyMegabytesPerSecond": size / copy_median / 1e6,
        "ratioToPlainTcp": plain_median / copy_median,
        "ratios": [a / b for a, b in zip(plain, copies)],
        "rsyncSeconds": sorted(rsync)[rounds // 2] if rsync else None,
        "secondary": usage,
        "primaryAllRounds": primary_usage,
    }
