"""Running a sidecar as a user who owns nothing."""

import os
import shutil

import pytest

from .sidecar import BINARY

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user, and give files away")


def as_nobody(lab):
    """(prefix, binary) to run the sidecar as nobody; as ourselves where we are not root."""
    if os.geteuid() != 0:
        return (), None
    # The build's own directory may be below one that only its user enters.
    binary = lab.path("zrs-binary")
    shutil.copy(BINARY, binary)
    os.chmod(binary, 0o755)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"), binary


def sidecar_of_nobody(lab, name, *sections, **options):
    """A Sidecar that is not yet started, in directories of nobody's; as ourselves where we are not root."""
    prefix, binary = as_nobody(lab)
    sidecar = lab.sidecar(name, *sections, prefix=prefix, binary=binary, **options)
    if prefix:
        for directory in (sidecar.directory, sidecar.state_dir):
            os.chown(directory, NOBODY, NOBODY)
    return sidecar
