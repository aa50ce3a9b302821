"""Every figure of `confvm bench` runs, on a small size, and has a reference that was measured in the same run.

No test here looks at how fast anything is: that is what the figures are for, on a quiet computer.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication

from confvm_gui.app.bench import (
    audit,
    exposure,
    first_window,
    fleet_filter,
    host_list,
    launches,
    memory_read,
    memory_repaint,
    policy,
    start_up,
    store_append,
    verify,
)
from confvm_gui.app.bench.figure import Figure
from confvm_gui.app.bench.registry import FIGURES

SMALL: dict[str, Callable[[], Figure]] = {
    "memory-read": lambda: memory_read.measure(size=2 << 20, rounds=2),
    "memory-repaint": lambda: memory_repaint.measure(pictures=3, rounds=2),
    "fleet-filter": lambda: fleet_filter.measure(rows=1200, rounds=2),
    "start-up": lambda: start_up.measure(instances=3, rounds=1),
    "first-window": lambda: first_window.measure(rounds=1),
    "launches": lambda: launches.measure(instances=8, rounds=1, workers=2),
    "store-append": lambda: store_append.measure(operations=64, tasks=8, rounds=2),
    "verify": lambda: verify.measure(reports=5, rounds=2, root_bits=2048),
    "hosts": lambda: host_list.measure(machines=3, rounds=1, events=2),
    "exposure": lambda: exposure.measure(size=128 << 20, rounds=1),
    "policy": lambda: policy.measure(instances=300, rounds=2),
    "audit": lambda: audit.measure(records=200, rounds=2),
}


def test_every_figure_is_measured_here() -> None:
    assert set(SMALL) == set(FIGURES)


@pytest.mark.parametrize("name", SMALL)
def test_it_runs_beside_its_reference(name: str, qapp: QApplication) -> None:
    figure = SMALL[name]()
    assert figure.name == name
    assert figure.title
    assert figure.reference_title
    assert figure.measured > 0
    assert figure.reference > 0
    low, high = figure.ratio_spread
    assert 0 < low <= high
    if name == "fleet-filter":  # the value is of the slowest step, the ratio of all steps together
        assert figure.ratio > 0
    else:
        assert figure.ratio == pytest.approx(figure.measured / figure.reference)
    if figure.rounds == 1:
        assert low == high == pytest.approx(figure.ratio)


def test_launches_tell_what_an_instance_costs_beyond_its_ram() -> None:
    detail = launches.measure(instances=8, rounds=1, workers=1).detail
    # The heartbeat guest's image alone is two pages.
    assert detail["RAM touched by an instance, KiB"] > 8
    assert detail["seconds until the last instance had written on its console"] > 0
    assert "memory of an instance beyond its RAM, KiB" in detail


def test_the_hosts_list_takes_the_same_number_of_calls_for_one_machine_and_for_many() -> None:
    few, many = (host_list.measure(machines=machines, rounds=1, events=1).detail for machines in (1, 12))
    name = "calls to the host until the list is there"
    assert few[name] == many[name]
    assert many["calls that the reference makes"] - few["calls that the reference makes"] == 4 * 11
