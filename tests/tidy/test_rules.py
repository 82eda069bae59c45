"""What must not be called where: waits of a fixed time, clocks, chance, and what blocks a strand."""

import pytest
from project import CPP_FILES, FILES, PYTHON_FILES, Rule, below

_TESTS = below("tests/", of=CPP_FILES + PYTHON_FILES)

_PACE = "keeps a pace, or takes a look at a pace"
_BENCH_WAITS = "lets a state settle before it is measured"
_SLEEP = Rule(
    r"\b(this_thread::)?sleep_for\b|\bsleep_until\b|\busleep\(|\bnanosleep\(|\bsleep\(|\bSleepFor\b"
    # Disguises: a wait for nothing, and a loop until a time has come.
    r"|\bselect\.select\(\[\], *\[\], *\[\]|\bpoll\((nullptr|NULL), *0|\bThread\.join\(\d|Event\(\)\.wait\("
    r"|\bWaitForNotificationWithTimeout\(|\bawait_ready\("
    r"|until\(lambda: *(not )?(time\.monotonic\(\)[^,]*|\w+\.running\(\)) *,",
    _TESTS, {
        "tests/e2e/support/waiting.py": "the one poll of the end-to-end tests, and the one wait for what must not be",
        "tests/bench/lag.py": _PACE,
        "tests/bench/watch.py": _PACE,
        "tests/bench/incumbent_process.py": _PACE,
        "tests/bench/incumbent.py": _BENCH_WAITS,
        "tests/bench/footprint.py": _BENCH_WAITS,
        "tests/bench/disk_shim.cc": "is what it is for: a slow disk",
        "tests/bench/transport_bench.cc": "idle time between two messages, which is measured",
    })

_GRPC = "gRPC takes its deadlines as times of the wall clock; nothing is decided by them"
_AGES = "times are shown to people as ages"
_WALL_CLOCK = Rule(
    r"system_clock|high_resolution_clock|utc_clock|GetCurrentTimeNanos|absl::Now\(|\btime\((nullptr|NULL|0)\)"
    r"|gettimeofday|CLOCK_REALTIME|\btime\.(time|time_ns|localtime|gmtime|ctime)\(|\bdatetime\.(now|utcnow|today)\("
    r"|\bdate\.today\(",
    CPP_FILES + PYTHON_FILES, {
        "sidecar/runtime/asio_runtime.cc": "the seam to threads and time",
        "sidecar/cli/promote_command.cc": _AGES,
        "sidecar/cli/status_command.cc": _AGES,
        "sidecar/transport/replication_server.cc": _GRPC,
        "tests/sidecar/transport/stream_test.cc": "a seed, which is printed with a failure",
    })

_COMMAND = "a command, which has no strand and no other clock"
_MONOTONIC = Rule(
    r"steady_clock|\bCLOCK_(MONOTONIC|BOOTTIME)|GPR_CLOCK_MONOTONIC", CPP_FILES, {
        "sidecar/runtime/asio_runtime.cc": "the seam to threads and time",
        "sidecar/runtime/timer_queue.cc": "the seam to threads and time",
        "tests/sidecar/runtime/timer_queue_test.cc": "what is due, to the seam to time",
        "sidecar/runtime/inotify_watcher.cc": "the pace of its own thread, which waits for the kernel",
        "sidecar/cli/terminal/progress_line.cc": _COMMAND,
        "sidecar/cli/lifecycle_commands.cc": _COMMAND,
        "sidecar/monitoring/socket_client.cc": "a client's deadline, which gRPC takes as a time of its own",
        "sidecar/monitoring/service_server.cc": "a deadline that has passed, for gRPC",
        "sidecar/transport/grpc_call.h": "an alarm of gRPC, on gRPC's own threads",
        "sidecar/transport/call_registry.h": "the end of a shutdown, for which its thread waits",
        "sidecar/transport/call_registry.cc": "the end of a shutdown, for which its thread waits",
        "sidecar/transport/acceptor.h": "the pace of its own thread, which waits for connections",
        "tests/bench/transport_bench.cc": "a benchmark",
        "tests/bench/wait_probe.cc": "a benchmark",
        "tests/bench/disk_shim.cc": "a benchmark",
        "tests/sidecar/transport/unary_method_test.cc": "deadlines for gRPC, and how long a test is patient",
    })

_CHANCE = Rule(r"random_device|absl::BitGen|\brandom_shuffle\b|\bs?rand\(", CPP_FILES, {
    "sidecar/runtime/asio_runtime.cc": "the seam to chance: everything else can be given a seed",
})

_BY_IO = "run by PostIo alone, on the thread for files"
_POSTS = "what it hands to PostIo"
_STRAND = Rule(
    r"(->|\.)(ReadAt|WriteAt|Truncate|Sync|SyncDirectory|Poll|Rename|Link|FreeBytes|OpenFor\w+|OpenOrCreate"
    r"|CreateExclusively|CreateDirectories|HasBoundary|ReadOld|Step)\(|\b(Tail|Appender)::(Open|Create)\("
    r"|filestorage::HasBoundary\("
    r"|\b(ReadWholeFile|ReplaceFile|CreateWithAccess|ProvePack)\(|DataFileLock::Take"
    r"|std::(condition_variable|future|promise|latch|barrier|counting_semaphore|binary_semaphore|[io]?fstream)\b"
    r"|absl::(CondVar|Notification|BlockingCounter)|(\.|->)(join|WaitForNotification)\("
    r"|\b(waitpid|popen|system|getaddrinfo|fsync|fdatasync|fopen)\(|::(open|read|write|pread|pwrite|poll|flock)\("
    r"|std::filesystem::(?!path\b)",
    below(*(f"sidecar/{room}/" for room in ("admin", "monitoring", "replication", "runtime", "storage", "transport")),
          of=CPP_FILES), {
        "sidecar/storage/secondary/copy_file.cc": _BY_IO,
        "sidecar/storage/secondary/copy_file_rebuild.cc": _BY_IO,
        "sidecar/storage/secondary/copy_file_resync.cc": _BY_IO,
        "sidecar/storage/secondary/index_work.cc": "run by PostAside alone, on a thread for what takes long",
        "sidecar/storage/old_file.cc": _BY_IO,
        "sidecar/storage/primary/pack_chain.cc": _BY_IO,
        "sidecar/storage/primary/primary_file.cc": _BY_IO,
        "sidecar/storage/primary/primary_file_identity.cc": _BY_IO,
        "sidecar/storage/primary/primary_file_role.cc": _BY_IO,
        "sidecar/storage/state_file.cc": _BY_IO,
        "sidecar/storage/secondary/swap.cc": _BY_IO,
        "sidecar/storage/primary/primary_source_following.cc": _POSTS,
        "sidecar/storage/primary/primary_source.h": "CommittedBytes, which is for that thread",
        "sidecar/storage/secondary/secondary_source.h": "CommittedBytes, which is for that thread",
        "sidecar/storage/source_slot.h": "CommittedBytes, which is for that thread",
        "sidecar/storage/publisher/position_probes.cc": _POSTS,
        "sidecar/runtime/asio_runtime.cc": "the end of the thread for files, in the destructor",
        "sidecar/transport/queued_service.h": "the end of a shutdown, for which the server's owner waits",
        "sidecar/runtime/command_output.cc": "the command's own thread too",
        "sidecar/runtime/command_runner.cc": "a thread of its own, which waits for the command",
        "sidecar/transport/acceptor.cc": "the end of its own thread, in the destructor",
        "sidecar/transport/call_registry.h": "a shutdown, on a thread of its own",
        "sidecar/transport/completion_threads.cc": "the end of gRPC's threads, in the destructor",
        "sidecar/transport/listen_socket.cc": "the start, before there is a strand",
        "sidecar/transport/replication_server.cc": "the end of the thread of a shutdown, in the destructor",
    })

_RULES = {"sleep": _SLEEP, "wall clock": _WALL_CLOCK, "monotonic clock": _MONOTONIC, "chance": _CHANCE,
          "blocking on a strand": _STRAND}


@pytest.mark.parametrize("name", _RULES)
def test_rule(name):
    assert not _RULES[name].broken()


@pytest.mark.parametrize("name", _RULES)
def test_every_exception_is_still_needed(name):
    assert not _RULES[name].needless_exceptions()


@pytest.mark.parametrize("rule, line", [
    (_SLEEP, "time.sleep(1)"), (_SLEEP, "absl::SleepFor(absl::Seconds(1));"), (_SLEEP, "select.select([], [], [], 2)"),
    (_SLEEP, "until(lambda: time.monotonic() > t, 'x')"), (_SLEEP, "until(lambda: not clock.running(), 'x')"),
    (_WALL_CLOCK, "x = time.time()"), (_WALL_CLOCK, "datetime.now()"), (_STRAND, "  file->ReadAt(0, out);"),
    (_STRAND, "tail_.Poll()"), (_STRAND, "thread.join();"), (_STRAND, "::open(path)"),
    (_MONOTONIC, "std::chrono::steady_clock::now()"), (_CHANCE, "std::random_device{}()"),
])
def test_a_rule_finds_what_it_is_about(rule, line):
    assert rule.pattern.search(line)


@pytest.mark.parametrize("rule, line", [
    (_SLEEP, "until(lambda: not clock.running() and min(writers.commits) > 5, 'every thread to commit')"),
    (_STRAND, "std::filesystem::path name;"), (_STRAND, "absl::StrJoin(x)"),
])
def test_a_rule_leaves_alone_what_it_is_not_about(rule, line):
    assert not rule.pattern.search(line)


def test_there_are_files_to_check():
    assert len(CPP_FILES) > 100 and len(PYTHON_FILES) > 40 and len(FILES) > len(CPP_FILES) + len(PYTHON_FILES)
