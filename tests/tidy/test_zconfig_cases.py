"""The cases that the C++ parser of configurations is held to are what the real ZConfig says of them."""

import os
import subprocess
import sys

from project import ROOT


def test_zconfig_agrees_with_every_case():
    script = os.path.join(ROOT, "tests", "sidecar", "config", "check_zconfig_cases.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" cases, 0 differ\n")
