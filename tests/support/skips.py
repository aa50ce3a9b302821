"""No test skips, so that green means that everything ran.

The one exception are tests marked `vectors`, which read public reference data that is no part of the source tree: they
skip, saying so, where the data is absent, and fail instead where `CI=true`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _vectors_dir() -> Path:
    return Path(os.environ.get("CONFVM_VECTORS", _ROOT.parent / "shared" / "vectors"))


def _vectors_missing() -> str:
    """Why tests marked `vectors` cannot run, or ""."""
    folder = _vectors_dir()
    if (folder / "MANIFEST.md").is_file():
        return ""
    return f"The reference data is not in {folder}; put it there or name its folder in CONFVM_VECTORS"


@pytest.fixture
def vectors_dir(request: pytest.FixtureRequest) -> Path:
    """The folder of public reference data; its MANIFEST.md names every file. For tests marked `vectors`."""
    if request.node.get_closest_marker("vectors") is None:
        pytest.fail("A test that asks for vectors_dir is marked `vectors`")
    return _vectors_dir()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose reference data is absent, or fail it in CI."""
    if item.get_closest_marker("vectors") is None:
        return
    missing = _vectors_missing()
    if missing and _in_ci():
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure."""
    report = yield
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    if item.get_closest_marker("vectors") is not None and _vectors_missing() and not _in_ci():
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"No test may skip: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself into a failure."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"No test may skip: {report.longrepr}"
    return report
