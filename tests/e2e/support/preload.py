"""A library that stands between a process and its system calls."""

import os
import subprocess


def built(lab, source):
    """The environment of a process into which `source`, a C++ file, is preloaded; it ends with the lab."""
    name = os.path.splitext(os.path.basename(source))[0]
    library = lab.path(f"{name}.so")
    subprocess.run(["g++", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": library}
