"""The pages of a guest on their way between two emulated hosts: which ones must go, and how each goes.

Private pages go as packets of SEND_UPDATE_DATA and RECEIVE_UPDATE_DATA, all others as the hosts can read them.

Which pages changed since they were sent, a hypervisor learns from the dirty bits of its nested page tables. The
emulated machine has none. Both hosts lie in one DRAM, so pages that both hold in the same representation are compared
there: that is exact, and cheap (some GB a second), and tells this code no more than dirty bits would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.memory_controller.page_state import PRIVATE, RAW, STATE_MASK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from confvm_gui.engine.machine import MachineGuest

PACKET_PAGES: Final = 4
"""A packet carries at most 16 KiB."""
STEP_PAGES: Final = 256
"""Pages copied in one go of a thread: then the caller can be cancelled, and sees progress."""


@dataclass(frozen=True, slots=True)
class ChangedPages:
    """Pages of the source, numbered from the start of RAM, that the target does not have as they are."""

    private: NDArray[np.int64]
    shared: NDArray[np.int64]

    @property
    def count(self) -> int:
        return self.private.size + self.shared.size


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive pages that go in one piece."""

    first: int
    count: int
    private: bool


class PageStream:
    """From a guest to what it becomes on its target host. Everything here is done in a thread but `steps`."""

    def __init__(self, guest: MachineGuest, moved: MachineGuest) -> None:
        self._guest = guest
        self._moved = moved
        self._dram = guest.machine.dram

    def find(self) -> ChangedPages:
        """What has to be copied now, in ascending order."""
        pages = self._guest.machine.controller.used_pages(self._guest.memory)
        pages = pages[pages < self._guest.ram_bytes // PAGE_SIZE]
        states = self._states(self._guest, pages)
        private, raw = (pages[states == state] for state in (PRIVATE, RAW))
        return ChangedPages(self._differing(private, PRIVATE), self._differing(raw, RAW))

    def steps(self, found: ChangedPages) -> Iterator[list[Run]]:
        """The work in portions of about STEP_PAGES."""
        step: list[Run] = []
        pages = 0
        for kind, private, limit in ((found.private, True, PACKET_PAGES), (found.shared, False, STEP_PAGES)):
            for first, count in _runs(kind, limit):
                step.append(Run(first, count, private))
                pages += count
                if pages >= STEP_PAGES:
                    yield step
                    step, pages = [], 0
        if step:
            yield step

    def copy(self, step: list[Run]) -> int:
        """Copy a portion; the number of its pages. Raises FirmwareError."""
        for run in step:
            if run.private:
                self._send(run.first * PAGE_SIZE, run.count * PAGE_SIZE)
            else:
                self._copy_raw(run.first, run.count)
        return sum(run.count for run in step)

    def _send(self, offset: int, length: int) -> None:
        source, target = self._guest.machine.processor, self._moved.machine.processor
        packet = source.send_update_data(self._guest.handle, self._guest.memory.spa + offset, length)
        target.receive_update_data(self._moved.handle, *packet, spa=self._moved.memory.spa + offset)

    def _copy_raw(self, first: int, count: int) -> None:
        source, target = self._guest.machine.controller, self._moved.machine.controller
        data = source.hypervisor_read(self._guest.memory, first * PAGE_SIZE, count * PAGE_SIZE)
        pages = np.arange(first, first + count)
        for start, run in _runs(pages[self._states(self._moved, pages) == PRIVATE], STEP_PAGES):
            # Private when it was sent before, and shared since.
            target.convert(self._moved.memory, start, run, False)
        target.hypervisor_write(self._moved.memory, first * PAGE_SIZE, data.tobytes())

    def _states(self, guest: MachineGuest, pages: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.bitwise_and(self._dram.states[guest.memory.spa // PAGE_SIZE + pages], np.uint8(STATE_MASK))

    def _differing(self, pages: NDArray[np.int64], state: int) -> NDArray[np.int64]:
        """Those of `pages`, in `state` at the source, that the target has in another state or with other content."""
        changed = self._states(self._moved, pages) != state
        # The others exist at the target: a look at a page that nobody has written would make one.
        for first, count in _runs(pages[~changed], STEP_PAGES):
            here, there = (self._words(guest, first, count) for guest in (self._guest, self._moved))
            position = int(np.searchsorted(pages, first))
            changed[position : position + count] = (here != there).any(axis=1)
        found: NDArray[np.int64] = pages[changed]
        return found

    def _words(self, guest: MachineGuest, first: int, count: int) -> NDArray[np.uint64]:
        start = guest.memory.spa + first * PAGE_SIZE
        return self._dram.bytes[start : start + count * PAGE_SIZE].view(np.uint64).reshape(count, -1)


def _runs(pages: NDArray[np.int64], limit: int) -> Iterator[tuple[int, int]]:
    """Runs of consecutive pages (first, count), none longer than `limit`. `pages` ascend."""
    if not pages.size:
        return
    edges = np.flatnonzero(np.diff(pages) != 1) + 1
    for run in np.split(pages, edges):
        first, count = int(run[0]), int(run.size)
        for start in range(0, count, limit):
            yield first + start, min(limit, count - start)
