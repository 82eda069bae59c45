"""What is kept from run to run, where deploy/lib.sh and the fuzzer keep theirs."""

import os


def cache_directory():
    """It exists."""
    directory = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "zrs")
    os.makedirs(directory, exist_ok=True)
    return directory
