"""The worker's end of the memory port: what a guest's vCPU needs of the console's process while it stands still."""

from __future__ import annotations

import os
from collections.abc import Callable
from mmap import mmap
from multiprocessing.connection import Connection
from typing import NoReturn

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host import protocol as p
from confvm_gui.engine.guest_host.page_walk import PageFault
from confvm_gui.engine.memory_controller.page_state import PRIVATE, RAW, STATE_MASK, UNTOUCHED


class HostRefusal(Exception):
    """The host answered with an error: the guest ends for this reason."""


class HostCalls:
    """One guest's calls. The worker ends with the console: nobody else is left who could answer."""

    def __init__(
        self,
        port: Connection,
        memory: mmap,
        states: mmap,
        config: p.GuestConfig,
        report_answer: Callable[[int], None],
    ) -> None:
        self._port = port
        self._memory = memory
        self._states = states
        self._config = config
        self._report_answer = report_answer

    def convert(self, page: int, count: int, private: bool) -> None:
        """Change the representation of pages. Raises PageFault with the controller's reason."""
        answer = self._ask(p.ConvertPages(self._config.guest, page, count, private))
        if isinstance(answer, str):
            raise PageFault(f"access to GPA {page * PAGE_SIZE:#x}: {answer}")

    def device_write(self, gpa: int, data: bytes) -> bool:
        """DMA. False: outside RAM, or refused."""
        if gpa + len(data) > self._config.ram_bytes:
            return False
        spa = self._config.spa + gpa
        first, last = spa // PAGE_SIZE, (spa + len(data) - 1) // PAGE_SIZE + 1
        if self._config.snp or any(state & STATE_MASK == PRIVATE for state in self._states[first:last]):
            # Under SEV-SNP the RMP has its say about every page, whatever its state is.
            return self._ask(p.DeviceWrite(self._config.guest, gpa, data)) is True
        self._memory[spa : spa + len(data)] = data
        for page in range(first, last):
            if self._states[page] == UNTOUCHED:
                self._states[page] = RAW
        return True

    def guest_request(self) -> int:
        """Raises HostRefusal; `change_state` and `pvalidate` too."""
        answer = self._ask(p.GuestRequest(self._config.guest))
        return answer if isinstance(answer, int) else self._refused(answer)

    def change_state(self, page: int, count: int, private: bool) -> int:
        answer = self._ask(p.ChangeState(self._config.guest, page, count, private))
        return answer if isinstance(answer, int) else self._refused(answer)

    def pvalidate(self, page: int, count: int, validate: bool) -> tuple[int, bool]:
        answer = self._ask(p.Pvalidate(self._config.guest, page, count, validate))
        return answer if isinstance(answer, tuple) else self._refused(answer)

    def answered(self, sequence: int) -> None:
        """The guest says that its attestation page holds an answer."""
        self._report_answer(sequence)

    def _ask(self, request: p.MemoryRequest) -> p.MemoryAnswer:
        try:
            self._port.send(request)
            answer: p.MemoryAnswer = self._port.recv()
        except (EOFError, OSError):
            os._exit(0)
        return answer

    @staticmethod
    def _refused(answer: p.MemoryAnswer) -> NoReturn:
        raise HostRefusal(str(answer))
