"""The local Compute Engine of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.google_accounts import public_key
from tests.support.google_compute import FakeCompute, google_compute
from tests.support.tls_site import TlsSite


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[TlsSite, FakeCompute]]:
    """Every request of a test must be one that the API has."""
    with google_compute(tmp_path) as (site, fake):
        fake.public_key = public_key()
        yield site, fake
    assert fake.refused == []


@pytest.fixture
def service(google: tuple[TlsSite, FakeCompute]) -> FakeCompute:
    return google[1]
