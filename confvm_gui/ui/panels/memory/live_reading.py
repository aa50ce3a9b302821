"""The panel's reads, for as long as it can be seen: what is in view often, all of RAM slowly, the maps in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory.columns import PaneColumns
from confvm_gui.ui.panels.memory.pane import MemoryPane

BACKGROUND_INTERVAL = 1 / 4
"""Seconds between two reads of what is in view while the window is not the active one."""
SHORTEST_INTERVAL = 1 / 60
"""Seconds, at least: keys that repeat and drags ask for a read many times within one picture."""
MAPS_INTERVAL = 0.5
"""Seconds between two looks at what the sweep has found."""
VIEW_TASK, MAPS_TASK = "view", "maps"


class LiveReading:
    """Starts and stops the tasks that read. An error of a source ends them and goes where the keeper reports."""

    def __init__(
        self,
        tasks: TaskKeeper,
        columns: PaneColumns,
        *,
        focused_hz: Callable[[], int],
        is_active: Callable[[], bool],
        is_frozen: Callable[[], bool],
        after_view: Callable[[], None],
        refresh_maps: Callable[[], Awaitable[None]],
    ) -> None:
        """`focused_hz`: reads a second while the window is active.

        `after_view` is called after every read of what is in view, `refresh_maps` every MAPS_INTERVAL.
        """
        self._tasks = tasks
        self._columns = columns
        self._focused_hz = focused_hz
        self._is_active = is_active
        self._is_frozen = is_frozen
        self._after_view = after_view
        self._refresh_maps = refresh_maps
        self._wanted = asyncio.Event()

    @property
    def running(self) -> bool:
        return self._tasks.is_running(VIEW_TASK)

    def want(self) -> None:
        """Let the next read come at once."""
        self._wanted.set()

    def start(self) -> None:
        """Read from now on. Needs a running loop."""
        self._wanted = asyncio.Event()
        self._tasks.start(VIEW_TASK, self._follow_view())
        self._tasks.start(MAPS_TASK, self._follow_maps())
        self.choose_sweeps()

    def stop(self) -> None:
        for name in (VIEW_TASK, MAPS_TASK, *map(_sweep_task, self._columns.panes)):
            self._tasks.cancel(name)

    def choose_sweeps(self) -> None:
        """Sweep for the columns that are shown, and only for those."""
        for pane in self._columns.panes:
            name = _sweep_task(pane)
            if pane.sweep is None or pane not in self._columns.shown:
                self._tasks.cancel(name)
            elif not self._tasks.is_running(name):
                self._tasks.start(name, pane.sweep.run())

    async def read_view(self) -> None:
        """Read and show what is in view once. Raises what the sources raise."""
        for pane in self._columns.panes:
            if pane.watch is not None and pane in self._columns.shown:
                await pane.refresh()

    async def _follow_view(self) -> None:
        while True:
            self._wanted.clear()
            await self.read_view()
            self._after_view()
            interval = 1 / self._focused_hz() if self._is_active() else BACKGROUND_INTERVAL
            try:
                # What is frozen is read again only where the user moves to.
                async with asyncio.timeout(None if self._is_frozen() else interval):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(SHORTEST_INTERVAL)

    async def _follow_maps(self) -> None:
        while True:
            await self._refresh_maps()
            await asyncio.sleep(MAPS_INTERVAL)


def _sweep_task(pane: MemoryPane) -> str:
    return f"sweep {pane.viewer.value}"
