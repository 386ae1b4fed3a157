"""Rules for every test of the checkout: what is functional, what comes last, and that CI skips nothing."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

#: Property of a test in the report: how an earlier try of it ended.
FAILED_BEFORE = "failed before"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in a folder `functional` as such, and try clients late and Kubernetes last.

    The environments of clients, and Kubernetes, are made in the background while other tests run.
    """
    for item in items:
        if "functional" in Path(item.path).parts:
            item.add_marker("functional")
    items.sort(key=_lateness)


def _lateness(item: pytest.Item) -> tuple[bool, bool]:
    return item.get_closest_marker("kubernetes") is not None, "clients" in Path(item.path).parts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that would be skipped has failed. Of a test that gets another try it is noted why."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI, but this was: {report.longrepr}"
    if report.failed and call.excinfo is not None:
        item.user_properties.append((FAILED_BEFORE, call.excinfo.exconly()))
    return report
