"""What holds for every test of the repository."""

import os

import pytest
from tests.leftovers import Leftovers

pytest_plugins = ["pytester"]


class NothingIsSkipped:
    """Where CROUPIER_REQUIRE is set, a part that is missing is a failure: a green run has tried everything."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name in self.skipped:
            terminalreporter.write_line(f"CROUPIER_REQUIRE is set, and this was skipped: {name}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Leftovers())
    if os.environ.get("CROUPIER_REQUIRE"):
        config.pluginmanager.register(NothingIsSkipped())
