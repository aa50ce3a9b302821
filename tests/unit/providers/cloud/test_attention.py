"""How often a cloud is asked: as often as somebody looks, and no more than alerts need while nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Capability, OperationContext
from confvm_gui.providers.cloud.connection import CloudConnection, Patience
from confvm_gui.providers.cloud.provider import CloudProvider
from confvm_gui.providers.cloud.table import Seen
from tests.support.google_rig import HURRY
from tests.support.patience import until


class Counting(CloudProvider):
    """Counts the looks."""

    technologies_offered = frozenset()
    reasons = MappingProxyType({})
    abilities = Capability.NONE

    def __init__(self, patience: Patience) -> None:
        self.looks = 0
        connection: CloudConnection[None] = CloudConnection(
            "a cloud", lambda: None, lambda _: None, lambda _: None, patience=patience
        )
        super().__init__("x", "X", load_catalog(), connection, readonly=True)

    async def look(self) -> None:
        self.looks += 1

    async def _find(self, instance_id: str) -> Seen | None:
        return None

    async def _fetch(self, seen: Seen) -> Seen | None:
        return None

    async def _make(self, request: LaunchRequest, operation: OperationContext) -> Seen:
        raise AssertionError

    async def _do(self, seen: Seen, act: str, operation: OperationContext) -> None:
        raise AssertionError

    async def _destroy(self, seen: Seen, operation: OperationContext) -> None:
        raise AssertionError

    async def _label(self, seen: Seen, labels: Mapping[str, str], operation: OperationContext) -> None:
        raise AssertionError

    async def _learn(self) -> None:
        raise AssertionError


async def test_while_nobody_looks_it_is_asked_seldom_and_at_once_when_somebody_comes() -> None:
    provider = Counting(replace(HURRY, inventory=0.001, unseen=3600))
    try:
        await provider.connect()
        await until(lambda: provider.looks > 5)
        provider.attend(False)
        await asyncio.sleep(0)  # the look that is due already
        settled = provider.looks + 1
        for _ in range(50):
            await asyncio.sleep(0.002)
        assert provider.looks <= settled
        before = provider.looks
        provider.attend(True)
        await until(lambda: provider.looks > before + 5)
    finally:
        await provider.aclose()


async def test_alerts_still_get_their_looks() -> None:
    provider = Counting(replace(HURRY, inventory=3600, unseen=0.001))
    try:
        await provider.connect()
        assert provider.looks == 1
        provider.attend(False)
        await until(lambda: provider.looks > 5)
    finally:
        await provider.aclose()
