"""Running a sidecar as a user who owns nothing."""

import os
import shutil

from .sidecar import BINARY

NOBODY = "65534"


def as_nobody(lab):
    """(prefix, binary) to run the sidecar as nobody; as ourselves where we are not root."""
    if os.geteuid() != 0:
        return (), None
    # The build's own directory may be below one that only its user enters.
    binary = lab.path("zrs-binary")
    shutil.copy(BINARY, binary)
    os.chmod(binary, 0o755)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"), binary
