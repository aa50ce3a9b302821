"""What the window loads once it stands, so that the first look at a panel does not wait for its modules."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confvm_gui.ui.instance_page import InstancePage

PAUSE_MS = 400
"""Between the fleet on screen and the first module."""
_FIRST = ("confvm_gui.ui.instance_page", "confvm_gui.ui.panels.overview.panel")
_THEN = (
    "confvm_gui.ui.wizard.wizard",
    "confvm_gui.ui.panels.console",
    "confvm_gui.ui.panels.events",
    "confvm_gui.ui.panels.metrics",
    "confvm_gui.ui.panels.jobs",
    "confvm_gui.ui.panels.memory.panel",
    "pyqtgraph",
    "importlib.metadata",
    "confvm_gui.ui.panels.settings",
    "confvm_gui.ui.panels.help",
    "confvm_gui.ui.panels.about",
)


async def load_ahead(instance_page: Callable[[], InstancePage]) -> None:
    """Load in a thread what is likely to be wanted, and make the instance page in a turn of its own."""
    for name in _FIRST:
        await asyncio.to_thread(importlib.import_module, name)
    page = instance_page()
    await asyncio.sleep(0)
    page.make_ahead("overview")
    for name in _THEN:
        await asyncio.to_thread(importlib.import_module, name)
