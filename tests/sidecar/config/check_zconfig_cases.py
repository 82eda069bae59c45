"""Compares zconfig_cases.txt with what the real ZConfig makes of the same inputs; --update writes its answers there.

    python check_zconfig_cases.py [--update]      in an environment with ZConfig (pip install ZConfig)

zconfig_cases_test holds the C++ parser to the same file, so that ZConfig is not needed to run the tests. A case:

    === name
    the lines of /etc/main.conf
    --- file sub/other.conf
    the lines of another file in /etc
    --- expect
    the tree (keys first, then sections), or "error FILE:LINE"

Everywhere \\t, \\r, \\v, \\f, \\uXXXX and \\\\ stand for those characters. The environment is ENVIRONMENT below.
"""

import os
import pathlib
import re
import sys
import urllib.parse

import ZConfig
import ZConfig.cfgparser

CASES = pathlib.Path(__file__).with_name("zconfig_cases.txt")
ENVIRONMENT = {"HOME": "/home/zope", "EMPTY": "", "Mixed": "case", "DOLLAR": "$HOME"}
ESCAPES = {"t": "\t", "r": "\r", "v": "\v", "f": "\f", "\\": "\\"}


def decode(text):
    def character(match):
        return chr(int(match[1][1:], 16)) if match[1][0] == "u" else ESCAPES[match[1]]

    return re.sub(r"\\(u[0-9a-fA-F]{4}|[trvf\\])", character, text)


def encode(text):
    return "".join(c if " " <= c <= "~" and c != "\\" else "\\\\" if c == "\\" else f"\\u{ord(c):04x}" for c in text)


class Section:
    def __init__(self, type_, name, place):
        self.type, self.name, self.place = type_, name, place
        self.keys, self.sections = [], []

    def addValue(self, key, value, position):  # the interface of ZConfig's matchers
        self.keys.append((key.lower(), value, f"{relative(position[2])}:{position[0]}"))

    def dump(self, indent=""):
        for key, value, place in self.keys:
            yield f"{indent}{encode(key)} [{encode(value)}] {place}"
        for section in self.sections:
            header = f"{encode(section.type)} {encode(section.name)}".rstrip(" ")
            yield f"{indent}<{header}> {section.place}"
            yield from section.dump(indent + "  ")


def relative(url):
    return urllib.parse.unquote(url)[len("file:///etc/"):]


class Context:
    """The interface of ZConfig's loader, without a schema."""

    def __init__(self, files):
        self.files, self.parsers = files, []

    def parse(self, section, url, defines):
        file = io_of(self.files[relative(url)])
        parser = ZConfig.cfgparser.ZConfigParser(Resource(file, url), self, defines)
        self.parsers.append(parser)
        parser.parse(section)
        self.parsers.pop()

    def place(self):
        return f"{relative(self.parsers[-1].url)}:{self.parsers[-1].lineno}"

    def startSection(self, parent, type_, name):
        return Section(type_, name or "", self.place())

    def endSection(self, parent, type_, name, section):
        parent.sections.append(section)

    def importSchemaComponent(self, name):
        pass

    def includeConfiguration(self, section, url, defines):
        if relative(url) not in self.files:
            raise ZConfig.ConfigurationError("error opening file")
        self.parse(section, url, defines)


class Resource:
    def __init__(self, file, url):
        self.file, self.url = file, url


def io_of(text):
    import io

    return io.StringIO(text)


def answer(files):
    context, root = Context(files), Section("", "", "")
    try:
        context.parse(root, "file:///etc/main.conf", None)
    except ZConfig.ConfigurationError:
        return [f"error {context.place()}"]
    return list(root.dump())


def read_case(text):
    name, _, rest = text.partition("\n")
    files, current, expected = {"main.conf": ""}, "main.conf", None
    for line in rest.splitlines(keepends=True):
        if line.startswith("--- file "):
            current = line[len("--- file "):].strip()
            files[current] = ""
        elif line.startswith("--- expect"):
            expected = []
        elif expected is not None:
            if line.strip():
                expected.append(line.rstrip("\n"))
        else:
            files[current] += decode(line)
    return name, files, expected


def main():
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    text = CASES.read_text()
    head, *cases = text.split("\n=== ")
    output, failures = [head], 0
    for case in cases:
        name, files, expected = read_case(case)
        found = answer(files)
        if found != expected:
            failures += 1
            print(f"{name}: expected {expected}, ZConfig says {found}")
        before = case.partition("--- expect")[0].rstrip("\n")
        output.append(before + "\n--- expect\n" + "".join(f"{line}\n" for line in found))
    if "--update" in sys.argv:
        CASES.write_text("\n=== ".join(output).rstrip("\n") + "\n")
    print(f"{len(cases)} cases, {failures} differ")
    return 1 if failures and "--update" not in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
