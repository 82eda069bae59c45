"""A fuzz target: replayed from its corpus by a test like any other, and by libFuzzer where clang builds it."""

load("//third_party:zrs.bzl", "zrs_library", "zrs_test")

def zrs_fuzz(name, deps):
    """One target from NAME_fuzz.cc.

    Args:
      name: as in corpus/NAME. Makes NAME_test, which replays that, and NAME_fuzzer for --config=fuzz.
      deps: of NAME_fuzz.cc.
    """
    zrs_library(
        name = name + "_target",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        deps = deps + [":input", ":one_input", "@system//:abseil", "@system//:gtest"],
        alwayslink = True,
    )
    zrs_test(
        name = name + "_test",
        srcs = ["replay_test.cc"],
        data = native.glob(["corpus/" + name + "/*"]),
        local_defines = ['ZRS_FUZZ_CORPUS=\\"tests/fuzz/corpus/' + name + '\\"'],
        deps = [":" + name + "_target", ":one_input", "@system//:spdlog"],
    )
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = ["initialize.cc"],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name + "_target", "@system//:gtest", "@system//:protobuf", "@system//:spdlog"],
    )
