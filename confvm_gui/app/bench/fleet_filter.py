"""`fleet-filter`: what a keystroke in the filter and a click on a column cost with 100,000 rows.

Measured: the window's own model and table, each keystroke from its text to the repainted table. The figure is the
slowest of all steps, each step the median over the rounds. Reference: the same rows as a plain list, for a keystroke a
loop with the same test, for a sort `sorted` on the same key, no painting: what the least code would do. The ratio
compares all steps together.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, duration, medians, seconds_of
from confvm_gui.app.bench.fleet_rows import made_up_fleet
from confvm_gui.app.bench.qt_application import application
from confvm_gui.domain.instance import Instance

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from confvm_gui.ui.fleet_view import FleetView
    from confvm_gui.ui.models.fleet_model import FleetModel

ROWS: Final = 100_000
ROUNDS: Final = 5
TYPED: Final = ("web-12", "region:europe-w", "label:env=prod")
"""Typed one character after the other, then deleted at once."""
TARGET: Final = Target(Judged.MEASURED, 50.0, at_least=False)


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    program: Callable[[], object]
    plain: Callable[[], object]


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs."""
    from confvm_gui.ui.fleet_view import FleetView
    from confvm_gui.ui.models.fleet_model import FleetModel

    held = application()
    fleet = made_up_fleet(rows)
    # As the console does at its start: the collector passes over what stays.
    gc.freeze()
    model = FleetModel()
    view = FleetView(model)
    try:
        view.resize(1280, 800)
        view.show()
        loading = _load(held, model, fleet)
        steps = [*_keystrokes(held, model, fleet), *_sorts(held, view, fleet)]
        ours: list[list[float]] = []
        theirs: list[list[float]] = []
        for _ in range(rounds):
            pairs = [(seconds_of(step.program), seconds_of(step.plain)) for step in steps]
            ours.append([program for program, _ in pairs])
            theirs.append([plain for _, plain in pairs])
    finally:
        view.close()
        view.deleteLater()
        model.deleteLater()
        held.processEvents()
        gc.unfreeze()
    return _figure(rows, steps, ours, theirs, loading)


def _figure(
    rows: int, steps: Sequence[_Step], ours: list[list[float]], theirs: list[list[float]], loading: float
) -> Figure:
    each = medians(ours)
    slowest = max(range(len(each)), key=each.__getitem__)
    name = steps[slowest].name
    all_steps = duration(
        "fleet-filter",
        f"the slowest of {len(steps)} keystrokes and sorts over {rows:,} rows, repaint included ({name})",
        "plain Python over a list of the same rows, all steps",
        Rounds(tuple(map(sum, ours)), tuple(map(sum, theirs))),
        target=TARGET,
    )
    return Figure(
        all_steps.name,
        all_steps.title,
        all_steps.reference_title,
        all_steps.unit,
        each[slowest] * 1e3,
        medians(theirs)[slowest] * 1e3,
        all_steps.ratio,
        all_steps.ratio_spread,
        all_steps.rounds,
        all_steps.target,
        {
            "median step, ms": sorted(each)[len(each) // 2] * 1e3,
            "slowest single step of any round, ms": max(map(max, ours)) * 1e3,
            "slowest turn of the event loop while the rows came in, ms": loading * 1e3,
        },
    )


def _load(held: QApplication, model: FleetModel, fleet: Sequence[Instance]) -> float:
    """Give the model its rows as the window does; return the longest time that the event loop was held up."""
    loaded: list[bool] = []
    model.loaded.connect(lambda: loaded.append(True))
    longest = seconds_of(lambda: model.load(fleet))
    while not loaded:
        longest = max(longest, seconds_of(held.processEvents))
    held.processEvents()
    return longest


def _keystrokes(held: QApplication, model: FleetModel, fleet: Sequence[Instance]) -> list[_Step]:
    from confvm_gui.ui.models.fleet_filter import parse_filter

    def typed(text: str) -> None:
        model.set_filter(parse_filter(text))
        held.processEvents()

    def plain(passes: Callable[[Instance], bool]) -> None:
        _ = [instance for instance in fleet if passes(instance)]

    texts = [text[:length] for text in TYPED for length in (*range(1, len(text) + 1), 0)]
    return [
        _Step(f"typing {text}" if text else "deleting the text", partial(typed, text), partial(plain, _test(text)))
        for text in texts
    ]


def _test(text: str) -> Callable[[Instance], bool]:
    """What was typed means this for one instance, as one would write it down."""
    key, colon, value = text.partition(":")
    if colon and key == "region":
        return lambda instance: instance.region.startswith(value)
    if colon and key == "label":
        return lambda instance: any(f"{name}={label}".startswith(value) for name, label in instance.labels.items())
    return lambda instance: any(
        text in readable
        for readable in (
            instance.name,
            instance.provider,
            instance.region,
            instance.zone,
            instance.machine_type,
            instance.image,
            *(f"{name}={label}" for name, label in instance.labels.items()),
        )
    )


def _sorts(held: QApplication, view: FleetView, fleet: Sequence[Instance]) -> list[_Step]:
    from PySide6.QtCore import Qt

    from confvm_gui.ui.models.fleet_columns import FleetColumn
    from confvm_gui.ui.models.fleet_model import COLUMNS

    def clicked(column: int, order: Qt.SortOrder) -> None:
        view.sortByColumn(column, order)
        held.processEvents()

    def plain(key: Callable[[Instance], Any], falling: bool) -> None:
        _ = sorted(fleet, key=key, reverse=falling)

    keys: tuple[tuple[FleetColumn, Callable[[Instance], Any]], ...] = (
        (FleetColumn.REGION, attrgetter("region")),
        (FleetColumn.LOAD, attrgetter("load")),
        (FleetColumn.CREATED, attrgetter("created_at")),
        (FleetColumn.NAME, attrgetter("name")),
    )
    orders = ((Qt.SortOrder.AscendingOrder, False), (Qt.SortOrder.DescendingOrder, True))
    return [
        _Step(
            f"sorting by {column.name.lower()}{', falling' if falling else ''}",
            partial(clicked, COLUMNS.index(column), order),
            partial(plain, key, falling),
        )
        for column, key in keys
        for order, falling in orders
    ]
