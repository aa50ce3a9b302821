"""Keeping what is known of an account's instances up to date: all regions, each page by page.

EC2 has no way to ask what has changed. A region in which there was nothing is asked less often than the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import Instance
from confvm_gui.providers.aws.connection import HOME_REGION, AwsConnection, Clients
from confvm_gui.providers.aws.instance_read import GONE, read_instance
from confvm_gui.providers.cloud.table import LABEL_ID, InstanceTable, Seen

_PAGE: Final = 1000
"""Instances of an answer: the most that the service gives."""
_EMPTY_EVERY: Final = 6
"""Looks: a region in which there was nothing is asked in one of so many."""
_REGIONS_EVERY: Final = 360
"""Looks: the list of regions is asked for again after so many, an hour."""


class Poller:
    """Looks at an account's instances."""

    def __init__(self, connection: AwsConnection, table: InstanceTable, provider: str, catalog: Catalog) -> None:
        self._connection = connection
        self._table = table
        self._provider = provider
        self._catalog = catalog
        self._looks = 0
        self.regions: tuple[str, ...] = ()
        """Those that are turned on in the account."""
        self._empty: set[str] = set()

    async def look(self) -> None:
        """Bring the table up to date. Raises what the connection raises, if no region answers."""
        if self._looks % _REGIONS_EVERY == 0 or not self.regions:
            self.regions = await self._connection.call(_regions)
        every = self._looks % _EMPTY_EVERY == 0
        asked = [region for region in self.regions if every or region not in self._empty]
        self._looks += 1
        at = self._table.now()
        answers = await asyncio.gather(*(self._look_at(region, at) for region in asked), return_exceptions=True)
        failures: dict[str, ConfvmError] = {}
        for region, answer in zip(asked, answers, strict=True):
            if isinstance(answer, ConfvmError):
                failures[region] = answer
            elif isinstance(answer, BaseException):
                raise answer
        if failures and len(failures) == len(asked):
            raise next(iter(failures.values()))
        for region, error in failures.items():
            self._table.note_unseen(f"{region}: {error.message}", at, partial(_is_in, region))
        self._table.forget_gone(at)

    async def find(self, instance_id: str) -> Seen | None:
        """An instance of ours that the table has not, as after a crash: asked for by its tag."""
        wanted = [{"Name": f"tag:{LABEL_ID}", "Values": [instance_id]}]
        regions = self.regions or await self._connection.call(_regions)
        for region in regions:
            for seen in await self.described(region, Filters=wanted):
                if seen.status != GONE:
                    return seen
        return None

    async def described(self, region: str, **wanted: object) -> Sequence[Seen]:
        """Instances of a region that answer to the filters, those that are gone among them."""

        def ask(clients: Clients) -> list[Mapping[str, Any]]:
            pages = clients.ec2(region).get_paginator("describe_instances").paginate(**wanted)
            return [found for page in pages for each in page["Reservations"] for found in each["Instances"]]

        return [
            read_instance(found, self._provider, self._catalog, region) for found in await self._connection.call(ask)
        ]

    async def _look_at(self, region: str, at: int) -> None:
        seen = [
            each for each in await self.described(region, PaginationConfig={"PageSize": _PAGE}) if each.status != GONE
        ]
        for each in seen:
            self._table.take(each, at)
        numbers = {each.number for each in seen}
        self._table.take_part(numbers, at, partial(_is_in, region))
        (self._empty.discard if seen else self._empty.add)(region)


def _regions(clients: Clients) -> tuple[str, ...]:
    answer = clients.ec2(HOME_REGION).describe_regions(AllRegions=False)
    return tuple(sorted(str(region["RegionName"]) for region in answer["Regions"]))


def _is_in(region: str, instance: Instance) -> bool:
    return instance.region == region
