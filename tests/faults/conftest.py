"""The seed that the faults are drawn from."""

import random

import pytest


@pytest.fixture
def seed(request):
    """Printed with a failure; --faults-seed=SEED draws the same faults again."""
    given = request.config.getoption("--faults-seed")
    chosen = random.SystemRandom().randrange(1 << 32) if given is None else given
    print(f"--faults-seed={chosen}")
    return chosen
