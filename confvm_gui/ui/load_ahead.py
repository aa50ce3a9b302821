"""What the window loads once it stands, so that the first look at a panel does not wait for its modules."""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    from confvm_gui.ui.instance_page import InstancePage

PAUSE_MS = 400
"""Between the fleet on screen and the first module."""
_FIRST = ("confvm_gui.ui.instance_page", "confvm_gui.ui.panels.overview.panel")
_THEN = (
    "confvm_gui.ui.wizard.wizard",
    "confvm_gui.ui.panels.console",
    "confvm_gui.ui.audit.page",
    "confvm_gui.ui.panels.metrics",
    "confvm_gui.ui.panels.jobs",
    "confvm_gui.ui.panels.memory.panel",
    "confvm_gui.ui.panels.attestation.panel",
    "confvm_gui.ui.evidence.page",
    "confvm_gui.ui.hosts.page",
    "confvm_gui.ui.guardrails.page",
    "confvm_gui.ui.keys.page",
    "confvm_gui.ui.access.page",
    "pyqtgraph",
    "importlib.metadata",
    "confvm_gui.ui.panels.settings",
    "confvm_gui.ui.panels.help",
    "confvm_gui.ui.panels.about",
)


_PAGES = ("settings", "events", "evidence", "hosts", "guardrails", "keys", "access", "help", "about")
"""Made before anybody asks: to make a page and to show it together takes up to 50 ms on a busy computer."""
_REST_SECONDS = 0.02

_SLICE_SECONDS = 0.008
"""Spent at a time on making Qt's types."""
_made: list[bool] = []


async def load(module: str) -> None:
    """Import `module` in a thread, so that the window does not wait for it."""
    if module not in sys.modules:
        await _make_types()
        await asyncio.to_thread(importlib.import_module, module)


async def load_ahead(
    instance_page: Callable[[], InstancePage], make_page: Callable[[str], object], last: Callable[[], object]
) -> None:
    """Load what is likely to be wanted, and make the instance page and the window's pages, each in its own turn.

    `last` is called at the end, in a thread.
    """
    for name in _FIRST:
        await load(name)
    page = instance_page()
    await asyncio.sleep(0)
    page.make_ahead("overview")
    for name in _THEN:
        await load(name)
    for key in _PAGES:
        make_page(key)
        await asyncio.sleep(_REST_SECONDS)
    await asyncio.to_thread(last)


async def _make_types() -> None:
    """Make every type of Qt that PySide makes at first use, here on the GUI thread, a few at a time.

    PySide 6.11 does not guard that moment: a type first used by two threads at once is met half made, which ends in
    an AttributeError or a crash. All together they take about 0.1 s.
    """
    if _made:
        return
    began = time.perf_counter()
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            getattr(module, name)
            if time.perf_counter() - began > _SLICE_SECONDS:
                await asyncio.sleep(0)
                began = time.perf_counter()
    _made.append(True)
