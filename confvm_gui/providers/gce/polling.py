"""Keeping what is known of a project's instances up to date.

A look is the aggregated list, page by page. Where that has several pages, looks between two whole ones ask which
operations there were since (the service's own of failing hosts and guests that shut down are among them), and only for
the instances that these name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from confvm_gui.catalog import Catalog
from confvm_gui.providers.cloud.table import LABEL_ID, InstanceTable, Seen
from confvm_gui.providers.gce.connection import Clients, GceConnection
from confvm_gui.providers.gce.create import find_named
from confvm_gui.providers.gce.instance_read import last_part, read_instance

PAGE: Final = 500
"""Instances of an answer: the most that the service gives."""
_WHOLE_EVERY: Final = 10
"""Looks: one of so many is at everything."""
_MOST_NAMED: Final = 100
"""Instances that are asked for one by one; more are found by the list."""
_OVERLAP: Final = timedelta(seconds=60)
"""Operations are asked for from so long before the last look: clocks differ, and lists lag behind."""


class Poller:
    """Looks at a project's instances."""

    def __init__(self, connection: GceConnection, table: InstanceTable, provider: str, catalog: Catalog) -> None:
        self._connection = connection
        self._table = table
        self._provider = provider
        self._catalog = catalog
        self._pages = 1
        self._since_whole = 0
        self._looked_at = ""
        """When operations were asked for last, by this computer's clock (RFC 3339)."""
        self.silent: tuple[str, ...] = ()
        """Zones that did not answer the last time."""

    async def look(self) -> None:
        """Bring the table up to date. Raises what the connection raises."""
        if self._pages > 1 and self._looked_at and self._since_whole < _WHOLE_EVERY and not self.silent:
            self._since_whole += 1
            if await self._look_at_changes():
                return
        async for _page in self.whole():
            pass

    async def whole(self) -> AsyncIterator[Sequence[Seen]]:
        """All instances, page by page, taken into the table as they come."""
        at = self._table.now()
        began = _now()
        numbers: set[str] = set()
        silent: set[str] = set()
        token, pages = "", 0
        while True:
            instances, quiet, token = await self._page(token, "")
            pages += 1
            silent.update(quiet)
            numbers.update(seen.number for seen in instances)
            for seen in instances:
                self._table.take(seen, at)
            yield instances
            if not token:
                break
        self._table.take_list(numbers, at, silent)
        self._table.note_silent(silent, at)
        self._table.forget_gone(at)
        self.silent = tuple(sorted(silent))
        self._pages, self._since_whole, self._looked_at = pages, 0, began

    async def find(self, instance_id: str) -> Seen | None:
        """An instance of ours that the table has not, as after a crash: asked for by its label."""
        instances, _silent, _token = await self._page("", f"labels.{LABEL_ID}={instance_id}")
        return next((seen for seen in instances if seen.instance.id == instance_id), None)

    async def _look_at_changes(self) -> bool:
        """Look at what operations have changed; False where the list is the shorter way."""
        began = _now()
        named = await self._connection.call(self._changed)
        if len(named) > _MOST_NAMED:
            return False
        for zone, number in sorted(named):
            at = self._table.now()
            found = await find_named(self._connection, zone, number)
            if found is None:
                self._table.remove_number(number)
            else:
                self._table.take(read_instance(found, self._provider, self._catalog), at)
        self._looked_at = began
        return True

    def _changed(self, clients: Clients) -> set[tuple[str, str]]:
        """Zone and number of each instance that an operation since the last look names."""
        request = clients.types.AggregatedListGlobalOperationsRequest(
            project=self._connection.project,
            filter=f'(insertTime > "{self._looked_at}") (targetLink : "/instances/")',
            max_results=PAGE,
        )
        pager = clients.global_operations.aggregated_list(
            request=request, timeout=self._connection.patience.answer, retry=None
        )
        page = next(iter(pager.pages))
        named = {
            (last_part(operation.zone), str(operation.target_id))
            for scope in type(page).pb(page).items.values()
            for operation in scope.operations
            if operation.target_id
        }
        # More than a page of operations: the list of instances is the shorter way.
        return named if not page.next_page_token else {("", str(number)) for number in range(_MOST_NAMED + 1)}

    async def _page(self, token: str, wanted: str) -> tuple[Sequence[Seen], Sequence[str], str]:
        """Instances, zones that were silent, token of the next page."""

        def ask(clients: Clients) -> tuple[Sequence[Seen], Sequence[str], str]:
            request = clients.types.AggregatedListInstancesRequest(
                project=self._connection.project, max_results=PAGE, page_token=token, filter=wanted
            )
            pager = clients.instances.aggregated_list(
                request=request, timeout=self._connection.patience.answer, retry=None
            )
            page = next(iter(pager.pages))
            raw = type(page).pb(page)
            seen = [
                read_instance(found, self._provider, self._catalog)
                for scope in raw.items.values()
                for found in scope.instances
            ]
            silent = {last_part(scope) for scope in raw.unreachables}
            silent |= {last_part(name) for name, scope in raw.items.items() if scope.warning.code == "UNREACHABLE"}
            return seen, sorted(silent), str(raw.next_page_token)

        return await self._connection.call(ask)


def _now() -> str:
    return (datetime.now(UTC) - _OVERLAP).isoformat(timespec="milliseconds")
