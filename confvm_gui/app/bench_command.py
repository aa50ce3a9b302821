"""`confvm bench`: the program's speed, each figure beside its reference in the same run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from typing import TextIO

from confvm_gui.app.bench.figure import Figure, Judged
from confvm_gui.app.bench.registry import FIGURES
from confvm_gui.domain.errors import InvalidInput


def run_bench(names: Sequence[str], as_json: bool, out: TextIO) -> int:
    """Measure the figures `names`, all when there are none, and print them to `out`.

    Returns 0, or 1 if a figure misses its target. Raises InvalidInput("name") for an unknown figure before any is
    measured, and what a launch or the store raises.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise InvalidInput("name", f"There is no figure {unknown[0][:60]!r}; choose among {', '.join(FIGURES)}")
    chosen = list(dict.fromkeys(names)) or list(FIGURES)
    measured: list[Figure] = []
    for name in chosen:
        figure = FIGURES[name]()
        measured.append(figure)
        if not as_json:
            out.write(as_text(figure))
            out.flush()
    if as_json:
        json.dump({"computer": _computer(), "figures": [as_object(figure) for figure in measured]}, out, indent=2)
        out.write("\n")
    return 0 if all(figure.met for figure in measured) else 1


def as_text(figure: Figure) -> str:
    """A figure as a paragraph of lines."""
    low, high = figure.ratio_spread
    target = figure.target
    what = "a ratio" if target.judged is Judged.RATIO else figure.unit
    bound = f"at {'least' if target.at_least else 'most'} {target.bound:g}"
    wanted = f"{what} of {bound}" if target.judged is Judged.RATIO else f"{bound} {what}"
    lines = [
        f"{figure.name}: {figure.title}",
        f"  measured   {_number(figure.measured)} {figure.unit}",
        f"  reference  {_number(figure.reference)} {figure.unit}: {figure.reference_title}",
        f"  ratio      {figure.ratio:.3g} ({low:.3g} to {high:.3g} over {figure.rounds} rounds)",
        f"  target     {wanted}: {'met' if figure.met else 'missed'}",
    ]
    lines += [f"  also       {name}: {_number(value)}" for name, value in figure.detail.items()]
    return "\n".join(lines) + "\n"


def as_object(figure: Figure) -> dict[str, object]:
    """A figure for JSON."""
    return {
        "name": figure.name,
        "title": figure.title,
        "unit": figure.unit,
        "measured": figure.measured,
        "reference": figure.reference,
        "reference_title": figure.reference_title,
        "ratio": figure.ratio,
        "ratio_spread": list(figure.ratio_spread),
        "rounds": figure.rounds,
        "target": {
            "for": figure.target.judged.value,
            "at_least" if figure.target.at_least else "at_most": figure.target.bound,
        },
        "met": figure.met,
        "detail": dict(figure.detail),
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _computer() -> dict[str, object]:
    return {
        "system": platform.platform(terse=True),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }
