"""What a running SEV-SNP guest asks of its host: messages for the firmware, pages to be shared or made its own.

`SnpGuest` is the GuestFirmware of one guest on one machine. It is called by the thread that serves the guest's vCPU
worker, while the vCPU waits.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import FirmwareError, WrongState
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guests.memory_map import GUEST_REQUEST_GPA, GUEST_RESPONSE_GPA
from confvm_gui.engine.secure_processor.rmp_entry import RmpResult
from confvm_gui.engine.secure_processor.snp_messages import HEADER_SIZE
from confvm_gui.sev.status import Status

if TYPE_CHECKING:
    from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
    from confvm_gui.engine.secure_processor.processor import SecureProcessor

_MESSAGE_SIZE: Final = struct.Struct("<H")
_MESSAGE_SIZE_OFFSET: Final = 0x36


class SnpGuest:
    """One guest's way to its host's firmware and RMP. Nothing of it raises for what the guest asks."""

    def __init__(self, controller: MemoryController, processor: SecureProcessor, memory: GuestRange, gctx: int) -> None:
        self._controller = controller
        self._processor = processor
        self._memory = memory
        self._gctx = gctx

    def guest_request(self) -> int:
        """SNP_GUEST_REQUEST with the message in its shared page; the answer goes into the other one.

        Returns 0 or the firmware's status.
        """
        page = self._controller.hypervisor_read(self._memory, GUEST_REQUEST_GPA, PAGE_SIZE).tobytes()
        (size,) = _MESSAGE_SIZE.unpack_from(page, _MESSAGE_SIZE_OFFSET)
        try:
            # First, because the firmware counts its answers: one that cannot be delivered would end the conversation.
            self._processor.rmp.require_host_write(self._memory.spa + GUEST_RESPONSE_GPA, PAGE_SIZE)
            answer = self._processor.snp_guest_request(self._gctx, page[: HEADER_SIZE + size])
            self._controller.hypervisor_write(self._memory, GUEST_RESPONSE_GPA, answer)
        except FirmwareError as error:
            return int(error.status)
        except WrongState:
            return int(Status.INVALID_PAGE_STATE)
        return 0

    def change_state(self, page: int, count: int, private: bool) -> int:
        """Give `count` pages from number `page` on to the guest, or take them back to be shared.

        Returns RMPUPDATE's result, 0 for success. What the guest had in them is lost to it.
        """
        if not self._inside(page, count):
            return int(RmpResult.FAIL_INPUT)
        place = page * PAGE_SIZE
        gpa = place if private else 0
        return int(self._controller.rmpupdate(self._memory, place, count=count, assigned=private, gpa=gpa))

    def pvalidate(self, page: int, count: int, validate: bool) -> tuple[int, bool]:
        """PVALIDATE of `count` pages from number `page` on: (result, whether every one of them changed)."""
        if not self._inside(page, count):
            return int(RmpResult.FAIL_INPUT), False
        result, changed = self._controller.pvalidate(self._memory, page, count, validate=validate)
        return int(result), changed

    def _inside(self, page: int, count: int) -> bool:
        return page >= 0 and count > 0 and (page + count) * PAGE_SIZE <= self._memory.length
