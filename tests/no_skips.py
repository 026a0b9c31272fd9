"""Turn a run red when a test was skipped: for machines on which nothing may be missing.

Off unless the environment variable METROSPEC_NO_SKIPS is 1; elsewhere a skip with its reason is
an honest answer (no browser, no reference folder).
"""

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("METROSPEC_NO_SKIPS") != "1" or reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("METROSPEC_NO_SKIPS") == "1" and skipped:
        terminalreporter.write_line(f"METROSPEC_NO_SKIPS=1: {len(skipped)} skipped tests count as failures", red=True)
