"""Options of the test run; here, since pytest looks for options at the top only."""


def pytest_addoption(parser):
    parser.addoption("--loop-seconds", type=float, default=5.0, help="how long each test that loops goes on (5)")
    parser.addoption("--keep", action="store_true", help="keep every test's directory, not only those of failed ones")
