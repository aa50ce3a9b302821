"""An exposure scan's result as JSON and as findings for the compliance view, without the texts that were asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from confvm_gui.domain.attestation import Finding
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from confvm_gui.domain.exposure import ExposureResult, Readability

FORMAT = "confvm-exposure-1"


def to_mapping(result: ExposureResult) -> dict[str, object]:
    """JSON-able; addresses in hexadecimal."""
    return {
        "format": FORMAT,
        "scan": result.id,
        "instance": result.instance_name,
        "instance_id": result.instance_id,
        "provider": result.provider,
        "technology": result.technology.value,
        "emulated": result.emulated,
        "at": datetime.fromtimestamp(result.started_at, UTC).isoformat(timespec="seconds"),
        "complete": result.complete,
        "note": result.note,
        "views": [
            {
                "view": scan.viewer.value,
                "searched_bytes": scan.searched,
                "skipped_bytes": scan.skipped,
                "unreadable_bytes": scan.unreadable,
                "seconds": round(scan.seconds, 3),
            }
            for scan in result.scans
        ],
        "terms": [
            {
                "label": each.term.label,
                "form": each.term.form.value,
                "sha256": each.term.sha256,
                "view": each.viewer.value,
                "readability": each.readability.value,
                "count": each.count,
                "expected_by_chance": each.expected_by_chance,
                "by_page_kind": {kind.name: count for kind, count in each.counts},
                "places": [
                    {
                        "gpa": f"{place.gpa:#x}",
                        "length": place.length,
                        "page": place.kind.name,
                        "encoding": place.encoding,
                    }
                    for place in each.places
                ],
            }
            for each in result.exposures
        ],
    }


def write_json(result: ExposureResult, path: Path) -> None:
    """Blocks. Raises InvalidInput("path") where it cannot be written."""
    text = json.dumps(to_mapping(result), ensure_ascii=False, indent=2) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput("path", f"{path.name} cannot be written: {error.strerror or error}") from None


def findings(result: ExposureResult) -> tuple[Finding, ...]:
    """One finding for each term that the host can read (an error where the instance is confidential), and one where
    the scan was not finished."""
    severity = Severity.WARNING if result.technology is Technology.NONE else Severity.ERROR
    found = [
        Finding("exposure-readable", severity, "0", str(each.count), f"Exposure scan: {each.term.label}")
        for each in result.readable_by_host
    ]
    found += [
        Finding("exposure-by-chance", Severity.INFO, "0", str(each.count), f"Exposure scan: {each.term.label}")
        for each in result.exposures
        if each.readability is Readability.BY_CHANCE
    ]
    if not result.complete:
        found.append(Finding("exposure-incomplete", Severity.WARNING, "all RAM", "part of it", "Exposure scan"))
    return tuple(found)
