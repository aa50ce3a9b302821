"""The Google provider on the local Compute Engine."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import Instance, LaunchRequest
from confvm_gui.domain.ports.provider import Change, Provider
from confvm_gui.fleet.export import rest_body
from confvm_gui.fleet.launch.forced import settle
from confvm_gui.providers.cloud.connection import Patience
from confvm_gui.providers.gce.provider import GceProvider
from tests.support.google_compute import PROJECT, TOKEN

HURRY = Patience(
    answer=0.5,
    attempts=3,
    backoff=0.01,
    backoff_most=0.02,
    per_second=2000,
    burst=200,
    inventory=0.05,
    operation=0.005,
    console=0.01,
)


class WatchedProvider(GceProvider):
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


def credentials() -> Any:
    return importlib.import_module("google.oauth2.credentials").Credentials(TOKEN)


@asynccontextmanager
async def google_provider(*, readonly: bool = False, patience: Patience = HURRY) -> AsyncIterator[GceProvider]:
    """Connected to the local service, closed at the end."""
    provider = WatchedProvider(
        "gce-probe",
        PROJECT,
        credentials,
        catalog(),
        partial(rest_body, catalog()),
        readonly=readonly,
        patience=patience,
    )
    try:
        await provider.connect()
        yield provider
    finally:
        await provider.aclose()
        for changes in provider.watched:
            await changes.aclose()


def google_request(name: str = "probe", technology: Technology = Technology.SEV, **more: Any) -> LaunchRequest:
    given: dict[str, Any] = {
        "name": name,
        "provider": "gce-probe",
        "cloud": "gce",
        "region": "us-central1",
        "zone": "us-central1-a",
        "machine_type": "n2d-standard-2",
        "image": "ubuntu-2404-lts-amd64",
        "technology": technology,
        "labels": {"env": "test"},
    }
    return settle(catalog(), LaunchRequest(**(given | more)))


async def everything(provider: Provider) -> dict[str, Instance]:
    pages: list[Sequence[Instance]] = [page async for page in provider.instances()]
    return {instance.id: instance for page in pages for instance in page}
