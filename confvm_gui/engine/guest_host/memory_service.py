"""The console's answers on a worker's memory port: the memory controller's and the firmware's.

Whatever goes wrong becomes a text, which the worker takes as the end of the guest that asked: the thread that serves
the port lives on, and the worker, which waits for the answer, is never left without one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.engine.guest_host import protocol as p

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.firmware_port import GuestFirmware
    from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController

logger = logging.getLogger(__name__)


def answer(
    request: p.MemoryRequest, memory: GuestRange, controller: MemoryController, firmware: GuestFirmware | None
) -> p.MemoryAnswer:
    """Do what a guest's vCPU asks for. Never raises."""
    try:
        match request:
            case p.ConvertPages(_, page, count, private):
                controller.convert(memory, page, count, private)
                return True
            case p.DeviceWrite(_, gpa, data):
                controller.hypervisor_write(memory, gpa, data)
                return True
        if firmware is None:
            return "the host has no SEV-SNP firmware for it"
        match request:
            case p.GuestRequest():
                return firmware.guest_request()
            case p.ChangeState(_, page, count, private):
                return firmware.change_state(page, count, private)
            case p.Pvalidate(_, page, count, validate):
                return firmware.pvalidate(page, count, validate)
    except ConfvmError as error:
        return str(error)
    except Exception as error:  # a fault of ours: the guest ends for it, the other guests of the worker do not
        logger.exception("A request on the memory port failed")
        return f"the host failed: {type(error).__name__}"
