"""What live instances use: sampled once a second, kept in the store, told to whoever listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.ports.provider import HasMetrics, Provider
from confvm_gui.domain.ports.repositories import SampleRepository
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.observable import Observable

PERIOD_SECONDS: Final = 1.0
KEEP_SECONDS: Final = 24 * 3600.0
_PRUNE_SECONDS: Final = 600.0


class MetricsFeed:
    """The sampler."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        repository: SampleRepository,
        *,
        readonly: bool,
    ) -> None:
        self.changes: Observable[Sequence[Sample]] = Observable()
        self._providers = providers
        self._inventory = inventory
        self._repository = repository
        self._readonly = readonly
        self._background = Background()

    def start(self) -> None:
        """Begin to sample."""
        self._background.start(self._run(), "metrics")

    async def history(self, instance_id: str, seconds: float) -> Sequence[Sample]:
        """Samples of the last `seconds`, oldest first."""
        return await self._repository.since(instance_id, time.time() - seconds)

    async def aclose(self) -> None:
        await self._background.aclose()

    async def _run(self) -> None:
        pruned = 0.0
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            live: dict[str, list[str]] = {}
            for instance in self._inventory.all():
                if instance.state.is_live:
                    live.setdefault(instance.provider, []).append(instance.id)
            asked = [
                self._sample(provider, live[name])
                for name, provider in tuple(self._providers.items())
                if name in live and isinstance(provider, HasMetrics)
            ]
            samples = [sample for found in await asyncio.gather(*asked) for sample in found]
            if samples:
                self.changes.emit(samples)
                if not self._readonly:
                    self._repository.append(samples)
            now = time.monotonic()
            if not self._readonly and now - pruned > _PRUNE_SECONDS:
                pruned = now
                self._repository.prune(time.time() - KEEP_SECONDS)

    @staticmethod
    async def _sample(provider: HasMetrics, live: Sequence[str]) -> Sequence[Sample]:
        try:
            return await provider.sample(live)
        except ConfvmError:
            return ()  # the provider's status tells why; the next period tries again
