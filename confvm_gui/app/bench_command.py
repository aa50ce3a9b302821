"""`confvm bench`: the program's speed, each figure beside its reference in the same run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from typing import Final, TextIO

from confvm_gui.app.bench.figure import Figure, Judged
from confvm_gui.app.bench.registry import FIGURES
from confvm_gui.domain.errors import InvalidInput, Unsupported

_LEFT_OUT: Final = 2


def run_bench(names: Sequence[str], as_json: bool, out: TextIO) -> int:
    """Measure the figures `names`, all when there are none, and print them to `out`.

    A figure for which this computer lacks something (libvirtd and QEMU) is left out, with the reason.

    Returns 0, or 1 if a figure misses its target, or 2 if one that was named is left out. Raises InvalidInput("name")
    for an unknown figure before any is measured, and what a launch or the store raises.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise InvalidInput("name", f"There is no figure {unknown[0][:60]!r}; choose among {', '.join(FIGURES)}")
    chosen = list(dict.fromkeys(names)) or list(FIGURES)
    measured: list[Figure] = []
    left_out: dict[str, str] = {}
    for name in chosen:
        try:
            figure = FIGURES[name]()
        except Unsupported as error:
            left_out[name] = error.message
            if not as_json:
                out.write(f"{name}: not measured. {error.message}\n")
            continue
        measured.append(figure)
        if not as_json:
            out.write(as_text(figure))
            out.flush()
    if as_json:
        figures = [as_object(figure) for figure in measured]
        json.dump({"computer": _computer(), "figures": figures, "not_measured": left_out}, out, indent=2)
        out.write("\n")
    if names and left_out:
        return _LEFT_OUT
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
