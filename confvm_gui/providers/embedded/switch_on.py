"""Switching the emulated hosts on: the engine's code is loaded here, off the event loop, and not before.

The window shows its fleet without it; numpy, cryptography and the firmware would be a third of the time until then.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from confvm_gui.providers.embedded.host_keys import HostKeys
    from confvm_gui.providers.embedded.site import Site

_ENGINE: Final = (
    "confvm_gui.engine.machine",
    "confvm_gui.engine.guests.records_disk",
    "confvm_gui.providers.embedded.launch",
    "confvm_gui.providers.embedded.memory",
    "confvm_gui.providers.embedded.site",
)
"""What a launch and a look at memory need, so that the first of them does not import on the event loop."""


def switched_on(make_site: Callable[[HostKeys], Site], keys: HostKeys) -> Site:
    """Hosts with power. Takes a tenth of a second the first time: call it in a thread. Raises CapacityExceeded."""
    for module in _ENGINE:
        import_module(module)
    site = make_site(keys)
    try:
        site.power_on()
    except BaseException:  # the memory of hosts that did not come up is given back
        site.dram.close()
        raise
    return site


def largest_site(workers: int, keys: HostKeys) -> Site:
    """Hosts, without power, with as much DRAM as this computer lets them have. Raises CapacityExceeded."""
    from confvm_gui.providers.embedded.site import Site

    return Site(keys, workers=workers)
