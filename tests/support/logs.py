"""Fails a test on any log record at WARNING or above that it did not expect."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest


class ExpectedLogs(logging.Handler):
    """Collects what is logged at WARNING or above; call it with a pattern to expect a record."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[str] = []
        self._patterns: list[re.Pattern[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(f"{record.levelname} {record.name}: {record.getMessage()}")

    def __call__(self, pattern: str) -> None:
        """Expect at least one record whose text, `LEVEL logger: message`, matches the regular expression."""
        self._patterns.append(re.compile(pattern))

    def complaints(self) -> list[str]:
        """What came and was not expected, then what was expected and did not come."""
        unexpected = [text for text in self._records if not any(p.search(text) for p in self._patterns)]
        absent = [p.pattern for p in self._patterns if not any(p.search(text) for text in self._records)]
        return [f"logged: {text}" for text in unexpected] + [f"expected in the log, absent: {text}" for text in absent]


_guard_key = pytest.StashKey[ExpectedLogs]()


@pytest.fixture(autouse=True)
def _no_unexpected_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    guard = ExpectedLogs()
    request.node.stash[_guard_key] = guard
    root = logging.getLogger()
    root.addHandler(guard)
    try:
        yield
    finally:
        attached = guard in root.handlers
        root.removeHandler(guard)
    complaints = guard.complaints()
    if not attached:
        complaints.append("the root logger's handlers were replaced, so that nothing could be checked")
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.fixture
def expected_logs(request: pytest.FixtureRequest) -> ExpectedLogs:
    """Call it with a regular expression for each record at WARNING or above that the test provokes."""
    guard: ExpectedLogs = request.node.stash[_guard_key]
    return guard
