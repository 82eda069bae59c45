"""What the sidecars take while nothing happens, at a restart, with many followers, and for one huge transaction."""

import glob
import os
import re
import subprocess
import sys
import time

import generate
from admin import AdminClient
from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.sidecar import ROOT
from support.waiting import until


def cpu_seconds(pid):
    """Processor time of the threads that run; to the nanosecond, where a process counts hundredths of a second."""
    total = 0
    for thread in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(thread, encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def _wake_ups(pid):
    """How often its threads went to sleep."""
    total = 0
    for thread in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(thread, encoding="ascii") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.MULTILINE).group(1))
    return total


def _share(pids, seconds):
    """[(share of a core, wake-ups a second)] of each, while nothing else happens."""
    before = [(cpu_seconds(pid), _wake_ups(pid)) for pid in pids]
    time.sleep(seconds)
    return [((cpu_seconds(pid) - cpu) / seconds, (_wake_ups(pid) - wakes) / seconds)
            for pid, (cpu, wakes) in zip(pids, before)]


def _sleeper(rate, seconds):
    """Share of a core of a process that wakes up so many times a second and does nothing."""
    process = subprocess.Popen([sys.executable, "-c", f"import time\nwhile True: time.sleep({1 / rate})"])
    try:
        time.sleep(2)
        return _share([process.pid], seconds)[0][0]
    finally:
        process.kill()
        process.wait()


def idle(lab, seconds):
    """Share of a core that each takes while nobody writes."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    time.sleep(2)  # what a start leaves to be done
    (primary, wakes), (secondary, others) = _share([s.process.pid for s in (pair.primary, pair.secondary)], seconds)
    pair.secondary.stop()
    pair.primary.stop()
    rate = max(wakes, others)
    return {"seconds": seconds, "primaryOfACore": primary, "secondaryOfACore": secondary, "wakeUpsPerSecond": rate,
            "sleeperOfACore": _sleeper(rate, seconds)}


def _until_streaming(sidecar):
    """Seconds from the start of the process; asked over its socket, each 2 ms."""
    if os.path.exists(sidecar.admin_socket):
        os.remove(sidecar.admin_socket)
    begin = time.monotonic()
    sidecar.process.start()
    until(lambda: os.path.exists(sidecar.admin_socket), "the socket", interval=0.001)
    client = AdminClient(ROOT, sidecar.admin_socket)

    def streams():
        try:
            return client.status().storages[0].state == "streaming"
        except Exception:  # pylint: disable=broad-except
            return False

    until(streams, f"{sidecar.name} to stream", interval=0.002)
    seconds = time.monotonic() - begin
    client.close()
    return seconds


def restart(lab, path):
    """Of either side of a pair that has this (large) file."""
    copy, address = lab.path("secondary-data", "Data.fs"), free_address()
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address)).start()
    until_identical(path, copy, timeout=300)
    secondary.until_streaming()
    result = {"bytes": os.path.getsize(path)}
    for name, sidecar in (("secondarySeconds", secondary), ("primarySeconds", primary)):
        times = []
        for _ in range(3):
            sidecar.stop()
            times.append(_until_streaming(sidecar))
        result[name] = sorted(times)[1]
    return result


def followers(lab, count, path):
    """Memory of a primary for each of so many followers (one process with as many storages), which copy `path`."""
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address, keys=[("max-followers", count + 1)])).start()
    until(lambda: primary.storage()["committedEnd"] == os.path.getsize(path), "the primary's look", timeout=60)
    alone = primary.process.peak_memory()
    copies = [lab.path(f"copy-{number}", "Data.fs") for number in range(count)]
    crowd = lab.sidecar("crowd", *(config.secondary(copy, address, name=f"copy{number}")
                                   for number, copy in enumerate(copies)))
    crowd.start()
    until_identical(path, *copies, timeout=600)
    peak = primary.process.peak_memory()
    return {"followers": count, "bytesEach": (peak - alone) / count, "aloneBytes": alone, "peakBytes": peak,
            "secondaryBytesEach": crowd.process.peak_memory() / count}


def huge_transaction(lab, size):
    """Peak memory of both while one transaction of `size` passes."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    pair.secondary.until_streaming()
    before = [sidecar.process.peak_memory() for sidecar in (pair.primary, pair.secondary)]
    begin = time.monotonic()
    generate.append_one(path, size)
    pair.until_identical(timeout=900)
    seconds = time.monotonic() - begin
    after = [sidecar.process.peak_memory() for sidecar in (pair.primary, pair.secondary)]
    return {"bytes": size, "seconds": seconds, "primaryBefore": before[0], "secondaryBefore": before[1],
            "primaryPeak": after[0], "secondaryPeak": after[1]}
