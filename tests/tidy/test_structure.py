"""How files belong together: headers, build files, who may include whom, and what documents name."""

import ast
import os
import re

from project import CPP_FILES, FILES, PYTHON_FILES, ROOT, below, lines_of, matches, text_of

_HEADERS = [path for path in CPP_FILES if path.endswith(".h")]
_BUILD_FILES = [path for path in FILES if path.endswith((".bazel", ".bzl"))]
# Built by a benchmark as it goes along.
_NOT_BUILT_BY_BAZEL = {
    "tests/bench/disk_shim.cc": "compiled by tests/bench/disk_shim.py, to be preloaded",
    "tests/e2e/support/stuck_disk.cc": "compiled by tests/e2e/test_stuck_disk.py, to be preloaded",
}


def test_a_header_is_guarded_by_its_path():
    for path in _HEADERS:
        guard = "ZRS_" + re.sub(r"[/.-]", "_", path).upper() + "_"
        lines = lines_of(path)
        assert f"#ifndef {guard}" in lines and f"#define {guard}" in lines, path
        assert lines[-1] == f"#endif  // {guard}", path


def test_a_header_says_what_it_is_about():
    assert not [path for path in _HEADERS if not lines_of(path)[0].startswith("// ")]


def test_every_file_is_built():
    """Named by the build file beside it, or by one that this loads."""
    unnamed = []
    for path in CPP_FILES:
        directory, name = os.path.split(path)
        beside = [text_of(build) for build in _BUILD_FILES if os.path.dirname(build) == directory]
        # A list of tests leaves the ending out; tests/fuzz/fuzz.bzl makes a file's name of its target's.
        names = [f'"{name.removesuffix(ending)}"' for ending in ("", ".cc", "_fuzz.cc")]
        if not any(each in text for text in beside for each in names):
            unnamed.append(path)
    assert [path for path in unnamed if path not in _NOT_BUILT_BY_BAZEL] == []
    assert set(_NOT_BUILT_BY_BAZEL) <= set(unnamed), "needs no exception any more"


def test_every_python_test_is_run():
    [line] = [line for line in lines_of("tests/pytest.ini") if line.startswith("testpaths")]
    directories = tuple(f"tests/{name}/" for name in line.split("=")[1].split())
    tests = [path for path in PYTHON_FILES if os.path.basename(path).startswith("test_")]
    assert len(tests) > 20
    assert not [path for path in tests if not path.startswith(directories)]


def included(path):
    return re.findall(r'^#include ["<]([^">]+)[">]', text_of(path), re.MULTILINE)


def _sidecar_rooms_but(*names):
    rooms = {path.split("/")[1] for path in CPP_FILES if path.startswith("sidecar/")}
    assert rooms > set(names)
    return [f"sidecar/{room}/" for room in rooms.difference(names)]


def test_includes_point_one_way():
    forbidden = [
        # The room, and what it must not know.
        ("filestorage/", ("sidecar/", "tests/", "proto/", "grpc", "asio")),
        ("sidecar/", ("tests/",)),
        ("sidecar/text/", ("filestorage/", "proto/", "grpc", "asio", *_sidecar_rooms_but("text"))),
        ("sidecar/address/", ("filestorage/", "proto/", "grpc", "asio", *_sidecar_rooms_but("address", "text"))),
        ("sidecar/replication/", ("filestorage/file_system.h", "filestorage/posix_file_system.h", "grpc", "asio",
                                  "sidecar/storage/", "sidecar/transport/", "sidecar/admin/", "sidecar/cli/",
                                  "sidecar/runtime/asio")),
        ("sidecar/runtime/", ("sidecar/storage/", "sidecar/transport/", "sidecar/replication/", "sidecar/admin/",
                              "sidecar/cli/", "grpc")),
        ("sidecar/storage/", ("grpc", "asio", "sidecar/cli/", "sidecar/admin/")),
        ("sidecar/storage/primary/", ("sidecar/storage/secondary/", "sidecar/storage/publisher/")),
        ("sidecar/storage/secondary/", ("sidecar/storage/primary/", "sidecar/storage/publisher/")),
        ("sidecar/storage/publisher/", ("sidecar/storage/primary/", "sidecar/storage/secondary/")),
        ("sidecar/transport/", ("sidecar/cli/", "sidecar/admin/")),
    ]
    wrong = [f"{path} includes {name}" for room, others in forbidden for path in below(room, of=CPP_FILES)
             for name in included(path) if name.startswith(others)]
    assert not wrong


# Names that a document says of something else than this tree.
_NO_PATHS = re.compile(r"[<>*{}$ ]|\.\.\.|^/|^~|://|^[A-Z][\w-]*\.fs|bazel-")


def _exists(document, path):
    """From the root, beside the document, or in a directory of tests that it speaks of."""
    bases = ("", os.path.dirname(document), "tests", "tests/e2e", "tests/e2e/support")
    return any(os.path.exists(os.path.join(ROOT, base, path)) for base in bases)


def test_paths_in_documents_exist():
    """In backticks and with a slash, or a link's target."""
    gone = []
    for document in (path for path in FILES if path.endswith(".md")):
        text = text_of(document)
        named = {path for path in re.findall(r"`([\w./-]+/[\w./-]+\.(?:py|cc|h|md|sh|proto|conf|txt|bzl))`", text)
                 if not _NO_PATHS.search(path)}
        linked = {path for path in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in path}
        gone += [f"{document}: {path}" for path in sorted(named | linked) if not _exists(document, path)]
    assert not gone


def test_every_python_function_is_used():
    """Named somewhere else than where it is defined; pytest and the libraries call the rest by name."""
    called_by_others = re.compile(r"^(test_|pytest_|__|fixture_|_fixture_)|^main$")
    words = re.findall(r"\w+", "\n".join(text_of(path) for path in FILES if path.endswith((".py", ".sh", ".ini"))))
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    unused = []
    for path in PYTHON_FILES:
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not called_by_others.search(node.name):
                if counts[node.name] == 1 and not node.decorator_list and node.name not in _CALLED_BY_LIBRARIES:
                    unused.append(f"{path}:{node.lineno}: {node.name}")
    assert not unused


_CALLED_BY_LIBRARIES = {
    "tpc_vote": "a participant of a transaction", "sortKey": "a participant of a transaction",
    "addValue": "ZConfig's matchers", "startSection": "ZConfig's loader", "endSection": "ZConfig's loader",
    "importSchemaComponent": "ZConfig's loader", "includeConfiguration": "ZConfig's loader",
}


def test_there_are_headers_and_build_files():
    assert len(_HEADERS) > 50 and len(_BUILD_FILES) > 10
    assert matches(r"#include", _HEADERS)
