"""The New instance wizard: `wizard.LaunchWizard` is its door."""

from __future__ import annotations

import asyncio
import importlib

_MODULES = (
    "confvm_gui.fleet.launch",
    "confvm_gui.fleet.export",
    "confvm_gui.fleet.records",
    "confvm_gui.ui.wizard.looks",
    "confvm_gui.ui.wizard.draft",
    "confvm_gui.ui.wizard.choices",
    "confvm_gui.ui.wizard.land",
    "confvm_gui.ui.wizard.region_map",
    "confvm_gui.ui.wizard.where_page",
    "confvm_gui.ui.wizard.steps",
    "confvm_gui.ui.wizard.wizard",
    "confvm_gui.ui.wizard.machine_table",
    "confvm_gui.ui.wizard.machine_page",
    "confvm_gui.ui.wizard.image_page",
    "confvm_gui.ui.wizard.confidential_page",
    "confvm_gui.ui.wizard.preview_table",
    "confvm_gui.ui.wizard.data_page",
    "confvm_gui.ui.wizard.review_page",
)


async def preload() -> None:
    """Import the wizard a module at a time, to be called once the window is up.

    Together the modules take longer than the window may stall; apart, each is over before a frame is due.
    """
    for module in _MODULES:
        importlib.import_module(module)
        await asyncio.sleep(0)
