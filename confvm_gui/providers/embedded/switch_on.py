"""Switching the emulated host on: the engine's code is loaded here, off the event loop, and not before.

The window shows its fleet without it; numpy, cryptography and the firmware would be a third of the time until then.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from confvm_gui.engine.machine import Machine

_ENGINE: Final = (
    "confvm_gui.engine.machine",
    "confvm_gui.engine.guests.records_disk",
    "confvm_gui.providers.embedded.launch",
    "confvm_gui.providers.embedded.memory",
)
"""What a launch and a look at memory need, so that the first of them does not import on the event loop."""


def switched_on(make_machine: Callable[[], Machine]) -> Machine:
    """A host with power. Takes a tenth of a second the first time: call it in a thread. Raises CapacityExceeded."""
    for module in _ENGINE:
        import_module(module)
    machine = make_machine()
    try:
        machine.power_on()
    except BaseException:
        machine.dram.close()
        raise
    return machine


def largest_machine(workers: int) -> Machine:
    """A host, without power, with as much DRAM as this computer lets it have. Raises CapacityExceeded."""
    from confvm_gui.engine.machine import Machine

    return Machine(workers=workers)
