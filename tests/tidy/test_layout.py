"""How files look: lengths, formatting, white space."""

import ast
import re
import subprocess

import pytest
from project import CPP_FILES, FILES, PYTHON_FILES, ROOT, SOURCE_FILES, code_of, lines_of, matches, text_of

# A file with so many is too long.
MOST_LINES = 400
LONGEST_LINE = 120
LONGEST_FUNCTION = 60

_TEXTS = (".md", ".conf", ".ini", ".txt", ".cfg")
_TEXT_FILES = [path for path in FILES if path.endswith(_TEXTS) or path in (".bazelrc", "WORKSPACE", ".ci/run")]
_TEXTS_AS_THEY_CAME = ("third_party/grpc/", "tests/sidecar/config/data/", "tests/sidecar/config/zconfig_cases.txt")
# Written anew with each measurement.
_MEASURED = ("tests/bench/README.md",)
_LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def test_files_are_short():
    assert not [path for path in SOURCE_FILES if len(lines_of(path)) >= MOST_LINES]


def test_lines_are_short():
    too_long = re.compile(f"^.{{{LONGEST_LINE + 1},}}")
    assert not matches(too_long, SOURCE_FILES)
    texts = [path for path in _TEXT_FILES if not path.startswith(_TEXTS_AS_THEY_CAME + _MEASURED)]
    # A table's line cannot be broken.
    assert not matches(re.compile(rf"^(?!\|).{{{LONGEST_LINE + 1},}}"), texts)


def python_functions(path):
    """(line, name, lines)."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name, node.end_lineno - node.lineno + 1


def cpp_functions(path):
    """(line, its first line, lines); a function's body is what braces hold behind parentheses, outside of any other."""
    stack, head, begin = [], "", 1
    for number, line in enumerate(code_of(path), 1):
        if line.lstrip().startswith("#"):
            continue
        for character in line:
            if character == "{":
                inside = any(kind == "function" for kind, *_ in stack)
                opener = re.match(r"\s*(template\s*<.*>\s*)?(namespace|class|struct|enum|union|extern)\b", head)
                kind = "function" if "(" in head and not opener and not inside else "other"
                stack.append((kind, begin, head.strip()))
                head = ""
            elif character == "}":
                kind, first, name = stack.pop()
                if kind == "function":
                    yield first, name[:60], number - first + 1
                head = ""
            elif character == ";":
                head = ""
            elif not character.isspace() or head:
                begin = begin if head else number
                head += character
        head += "\n" if head else ""
    assert not stack, f"{path}: braces do not match"


def test_functions_are_short():
    long = [f"{path}:{line}: {name}: {count} lines" for path in CPP_FILES + PYTHON_FILES
            for line, name, count in (cpp_functions if path in CPP_FILES else python_functions)(path)
            if count > LONGEST_FUNCTION]
    assert not long


def test_the_longest_functions_are_seen():
    assert max(count for path in CPP_FILES for *_, count in cpp_functions(path)) > LONGEST_FUNCTION / 2


def test_no_trailing_space_and_no_tab():
    assert not matches(re.compile(r"[ \t]+$|\t"), SOURCE_FILES)


def test_nothing_is_promised_for_later():
    assert not matches(_LATER, SOURCE_FILES)


def test_cpp_is_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=5", *CPP_FILES], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run clang-format -i on these:\n{done.stderr}"


@pytest.mark.parametrize("script", [path for path in FILES if path.endswith(".sh") or path == ".ci/run"])
def test_shell_scripts_parse(script):
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)
