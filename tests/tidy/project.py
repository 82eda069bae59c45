"""The files of the project that are or will be tracked, and ways to search them."""

import functools
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CPP = (".cc", ".h")
SOURCES = CPP + (".py", ".sh", ".proto", ".bzl", ".bazel")


def _project_files():
    """Paths from the root, of files that exist."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode()
    return sorted(path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path)))


@functools.cache
def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def lines_of(path):
    return text_of(path).splitlines()


@functools.cache
def code_of(path):
    """Lines of a C++ file or of a Python file without comments, and without what is in quotes."""
    text = text_of(path)
    if path.endswith(CPP):
        token = r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/'
    else:
        token = r'""".*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*'
    # A digit's separator is no quote.
    text = re.sub(r"(?<=\d)'(?=\d)", "", text) if path.endswith(CPP) else text
    return re.sub(token, lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL).split("\n")


def matches(pattern, paths, lines=lines_of):
    """path:line: text, of every line where the pattern is found; `lines` may be code_of."""
    return [f"{path}:{number}: {line.strip()}" for path in paths
            for number, line in enumerate(lines(path), 1) if re.search(pattern, line)]


def below(*directories, of):
    return [path for path in of if path.startswith(directories)]


FILES = _project_files()
SOURCE_FILES = [path for path in FILES if path.endswith(SOURCES)]
CPP_FILES = [path for path in FILES if path.endswith(CPP)]
PYTHON_FILES = [path for path in FILES if path.endswith(".py")]


class Rule:
    """A pattern that is found in no file, but for those that are named with the reason why it is right there."""

    def __init__(self, pattern, paths, exceptions=None):
        self.pattern, self.paths, self.exceptions = re.compile(pattern), paths, exceptions or {}

    def broken(self):
        return matches(self.pattern, [path for path in self.paths if path not in self.exceptions], code_of)

    def needless_exceptions(self):
        """Those of files that are gone, or no subject of the rule, or that keep to it."""
        return [path for path in self.exceptions
                if path not in self.paths or not matches(self.pattern, [path], code_of)]
