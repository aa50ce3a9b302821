"""The local EC2 of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.amazon_ec2 import FakeEc2, amazon_ec2


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeEc2]:
    with amazon_ec2(tmp_path) as (_site, fake):
        yield fake
