"""The figures by name, in the order in which they are measured. Each one's module is imported when it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from confvm_gui.app.bench.figure import Figure


def _memory_read() -> Figure:
    from confvm_gui.app.bench.memory_read import measure

    return measure()


def _memory_repaint() -> Figure:
    from confvm_gui.app.bench.memory_repaint import measure

    return measure()


def _fleet_filter() -> Figure:
    from confvm_gui.app.bench.fleet_filter import measure

    return measure()


def _start_up() -> Figure:
    from confvm_gui.app.bench.start_up import measure

    return measure()


def _first_window() -> Figure:
    from confvm_gui.app.bench.first_window import measure

    return measure()


def _launches() -> Figure:
    from confvm_gui.app.bench.launches import measure

    return measure()


def _store_append() -> Figure:
    from confvm_gui.app.bench.store_append import measure

    return measure()


def _verify() -> Figure:
    from confvm_gui.app.bench.verify import measure

    return measure()


def _hosts() -> Figure:
    from confvm_gui.app.bench.host_list import measure

    return measure()


def _exposure() -> Figure:
    from confvm_gui.app.bench.exposure import measure

    return measure()


def _policy() -> Figure:
    from confvm_gui.app.bench.policy import measure

    return measure()


def _audit() -> Figure:
    from confvm_gui.app.bench.audit import measure

    return measure()


FIGURES: Mapping[str, Callable[[], Figure]] = MappingProxyType(
    {
        "memory-read": _memory_read,
        "memory-repaint": _memory_repaint,
        "fleet-filter": _fleet_filter,
        "start-up": _start_up,
        "first-window": _first_window,
        "launches": _launches,
        "store-append": _store_append,
        "verify": _verify,
        "hosts": _hosts,
        "exposure": _exposure,
        "audit": _audit,
        "policy": _policy,
    }
)
