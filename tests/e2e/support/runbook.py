"""A page of documentation whose commands are run as they are written."""

import dataclasses
import os
import re

from .sidecar import ROOT

_PROMPT = re.compile(r" {4}(\w+)\$ (.+)")


@dataclasses.dataclass
class Command:
    """A line such as `two$ zrs promote`, and the heading that it stands under."""

    heading: str
    host: str
    line: str


@dataclasses.dataclass
class File:
    """One that the page shows, by its name on those hosts."""

    hosts: list
    path: str
    text: str


class Page:
    """What deploy/NAME shows in indented blocks: files, settings (of which it says what they are for), and commands."""

    def __init__(self, name):
        self.files, self.settings, self._left = [], [], []
        with open(os.path.join(ROOT, "deploy", name), encoding="utf-8") as file:
            self._read(re.split(r"\n{2,}", file.read()))
        assert self._left, f"{name} has no commands"

    def under(self, heading):
        """The commands there, of which each is handed out once, in the order of the page."""
        taken = []
        while self._left and self._left[0].heading == heading:
            taken.append(self._left.pop(0))
        assert taken, f"no commands under {heading!r}; the next is {self._left[:1]}"
        return taken

    def skip(self, *headings):
        for heading in headings:
            self.under(heading)

    def assert_all_run(self):
        assert not self._left, f"not run: {self._left}"

    def _read(self, paragraphs):
        heading, before = "", ""
        for paragraph in paragraphs:
            if paragraph.startswith("#"):
                heading = paragraph.lstrip("# ")
            elif paragraph.startswith("    "):
                self._block(heading, before, paragraph.splitlines())
            else:
                assert "\n    " not in paragraph, f"a block begins behind an empty line: {paragraph}"
            before = paragraph

    def _block(self, heading, before, lines):
        """`before`: the paragraph that ends with the name of the file that is shown."""
        commands = [_PROMPT.fullmatch(line) for line in lines]
        if all(commands):
            self._left += [Command(heading, *found.groups()) for found in commands]
            return
        assert not any(commands), f"commands among other lines: {lines}"
        text = "".join(line.removeprefix("    ") + "\n" for line in lines)
        if text.startswith("<"):
            found = re.search(r"`(/[\w./-]+)` on ", before)
            self.files.append(File(re.findall(r"`(\w+)`", before[found.end(1):]), found.group(1), text))
        else:
            self.settings.append(text.strip())
