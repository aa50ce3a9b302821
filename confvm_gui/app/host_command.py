"""`confvm host`: is this machine ready to host confidential guests? Exit code 0: ready, 1: not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from confvm_gui.domain.catalogue import Technology
    from confvm_gui.fleet.readiness import HostReport

_MARKS: Final = {"ok": "ok     ", "warning": "warning", "missing": "MISSING", "unknown": "unknown"}


def add_host_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `host` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser(
        "host", parents=list(parents), help="is this machine ready to host SEV guests, and what to do if not"
    )
    parser.add_argument(
        "--technology",
        choices=["sev", "sev-es", "sev-snp"],
        default="sev-snp",
        help="what it must be ready for (default: sev-snp)",
    )


def run_host(options: argparse.Namespace, out: TextIO) -> int:
    """0 if this machine is ready for what was asked, else 1."""
    from confvm_gui.domain.catalogue import Technology
    from confvm_gui.fleet.readiness import examine_host

    report = examine_host()
    technology = Technology(options.technology)
    if options.json:
        json.dump(report_to_mapping(report, technology), out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        _print(report, technology, out)
    return 0 if report.ready(technology) else 1


def report_to_mapping(report: HostReport, technology: Technology) -> dict[str, object]:
    """JSON-able."""
    from confvm_gui.fleet.readiness.item import TECHNOLOGIES

    return {
        "technology": technology.value,
        "ready": report.ready(technology),
        "technologies": {entry.value: report.ready(entry) for entry in TECHNOLOGIES},
        "items": [
            {
                "key": item.key,
                "title": item.title,
                "state": item.state.value,
                "found": item.found,
                "hint": item.hint,
                "blocks": sorted(entry.value for entry in item.blocks),
            }
            for item in report.items
        ],
    }


def _print(report: HostReport, technology: Technology, out: TextIO) -> None:
    from confvm_gui.fleet.readiness.item import TECHNOLOGIES

    for item in report.items:
        out.write(f"{_MARKS[item.state.value]}  {item.title}: {item.found}\n")
        if item.hint:
            out.write(f"         -> {item.hint}\n")
    out.write("\n")
    for entry in TECHNOLOGIES:
        out.write(f"{entry.title}: {'ready' if report.ready(entry) else 'not ready'}\n")
    blocking = report.blocking(technology)
    if blocking:
        out.write(f"Against {technology.title}: {', '.join(item.title for item in blocking)}\n")
