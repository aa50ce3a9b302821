"""The AWS provider on the local EC2."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Final

from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Change
from confvm_gui.providers.aws.credentials import DEFAULT, profile_session
from confvm_gui.providers.aws.provider import AwsProvider
from confvm_gui.providers.cloud.connection import Patience
from tests.support.amazon_ec2 import REGION
from tests.support.google_rig import HURRY

UNHURRIED: Final = replace(HURRY, answer=10)
"""moto takes its time, on a busy machine above all."""


class WatchedProvider(AwsProvider):
    """Ends at its end what a test has watched."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.watched: list[AsyncGenerator[Change, None]] = []

    def watch(self) -> AsyncIterator[Change]:
        changes = super().watch()
        assert isinstance(changes, AsyncGenerator)
        self.watched.append(changes)
        return changes


@cache
def catalog() -> Catalog:
    return load_catalog()


@asynccontextmanager
async def amazon_provider(*, readonly: bool = False, patience: Patience = UNHURRIED) -> AsyncIterator[AwsProvider]:
    """Connected to the local service, closed at the end. It asks two regions, of those that there are."""
    provider = WatchedProvider(
        "aws-probe", DEFAULT, lambda: profile_session(DEFAULT), catalog(), readonly=readonly, patience=patience
    )
    try:
        await provider.connect()
        yield provider
    finally:
        await provider.aclose()
        for changes in provider.watched:
            await changes.aclose()


def amazon_request(name: str = "probe", technology: Technology = Technology.SEV_SNP, **more: Any) -> LaunchRequest:
    given: dict[str, Any] = {
        "name": name,
        "provider": "aws-probe",
        "cloud": "aws",
        "region": REGION,
        "zone": f"{REGION}a",
        "machine_type": "m6a.xlarge",
        "image": "al2023-ami-kernel-6.1-x86_64",
        "technology": technology,
        "labels": {"env": "test"},
    }
    return LaunchRequest(**(given | more))
