"""Rules that every package of the project uses: C++ targets with the project's warnings, and protobuf generation."""

WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Wnon-virtual-dtor",
    "-Wextra-semi",
    "-Werror",
]

def zrs_library(name, copts = [], **kwargs):
    """A cc_library of ours: warnings are errors."""
    native.cc_library(name = name, copts = WARNINGS + copts, **kwargs)

def zrs_binary(name, copts = [], **kwargs):
    """A cc_binary of ours: warnings are errors."""
    native.cc_binary(name = name, copts = WARNINGS + copts, **kwargs)

def zrs_test(name, deps = [], copts = [], data = [], size = "small", **kwargs):
    """A cc_test of ours, with GoogleTest's main, and with the suppressions that the sanitizers are told of."""
    native.cc_test(
        name = name,
        size = size,
        copts = WARNINGS + copts,
        data = data + ["//tests:lsan_suppressions.txt", "//tests:tsan_suppressions.txt"],
        deps = deps + ["@system//:gtest_main"],
        **kwargs
    )

def zrs_proto_library(name, src, grpc = False, deps = [], visibility = None):
    """C++ for one .proto file, by the distribution's protoc.

    Args:
      name: the cc_library; with grpc = True there is also NAME_grpc, the service's stubs.
      src: the .proto file; it imports others by their path from the workspace root.
      grpc: whether to generate the service's stubs too.
      deps: zrs_proto_library targets of the files it imports.
      visibility: as everywhere.
    """
    stem = src[:-len(".proto")]
    native.filegroup(
        name = name + "_src",
        srcs = [src] + [d + "_src" for d in deps],
        visibility = ["//visibility:public"],
    )
    native.genrule(
        name = name + "_generate",
        srcs = [src] + [d + "_src" for d in deps],
        outs = [stem + ".pb.h", stem + ".pb.cc"],
        cmd = "protoc -I. --cpp_out=$(BINDIR) $(location %s)" % src,
    )
    native.cc_library(
        name = name,
        srcs = [stem + ".pb.cc"],
        hdrs = [stem + ".pb.h"],
        deps = deps + ["@system//:protobuf"],
        visibility = visibility,
    )
    if not grpc:
        return
    native.genrule(
        name = name + "_grpc_generate",
        srcs = [src] + [d + "_src" for d in deps],
        outs = [stem + ".grpc.pb.h", stem + ".grpc.pb.cc"],
        cmd = ("protoc -I. --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) " +
               "--grpc_out=$(BINDIR) $(location %s)") % src,
    )
    native.cc_library(
        name = name + "_grpc",
        srcs = [stem + ".grpc.pb.cc"],
        hdrs = [stem + ".grpc.pb.h"],
        deps = [":" + name, "@system//:grpc"],
        visibility = visibility,
    )
