"""The documented shape of a status: the tables in sidecar/admin/README.md."""

import functools
import os
import re

from .sidecar import ROOT

_TYPES = {"string": str, "number": (int, float), "boolean": bool, "object": dict, "array": list}
# The table of what is inside a field.
_INSIDE = {"storages": "storage", "progress": "progress", "upstream": "upstream", "followers": "follower",
           "error": "error", "lastSwap": "swap", "others": "other", "checking": "checking", "divergence": "comparison",
           "here": "compared", "scrub": "scrub", "index": "kept-index"}


@functools.cache
def table(name):
    """Rows of cells, without the head."""
    with open(os.path.join(ROOT, "sidecar", "admin", "README.md"), encoding="utf-8") as file:
        text = file.read()
    body = re.search(f"<!-- begin {name} -->\n(.*)<!-- end {name} -->", text, re.DOTALL).group(1)
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def states():
    return {row[0] for row in table("states")}


def _inside(name, field):
    """The table of what is in a field of the table `name`; None where it is no object."""
    return "compared" if (name, field) == ("comparison", "upstream") else _INSIDE.get(field)


def fields(name="status", prefix=""):
    """Every documented field, as in "storages.error.message"."""
    found = set()
    for field, *_ in table(name):
        found.add(prefix + field)
        if _inside(name, field):
            found |= fields(_inside(name, field), f"{prefix}{field}.")
    return found


def known(value, name="status", prefix=""):
    """Checks a status against the document; the fields in it that are not null."""
    assert set(value) == {row[0] for row in table(name)}, f"fields of {prefix or 'the status'}"
    found = set()
    for field, kind, null, _ in table(name):
        content = value[field]
        if content is None:
            assert null != "never", f"{prefix}{field} is null"
            continue
        assert isinstance(content, _TYPES[kind]), f"{prefix}{field} is no {kind}"
        assert (kind == "boolean") == isinstance(content, bool), f"{prefix}{field} is no {kind}"
        found.add(prefix + field)
        if _inside(name, field):
            for item in content if kind == "array" else [content]:
                found |= known(item, _inside(name, field), f"{prefix}{field}.")
    if name == "storage":
        assert value["state"] in states(), value["state"]
    return found
