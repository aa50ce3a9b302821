"""The nearest change of a denied request that passes, consistent with the catalogue.

A rule names a field and values that satisfy it. A value seldom comes alone: another technology can force another
machine type, zone, image and host maintenance (`fleet.launch.forced`). So each value is tried as a whole request: it
counts if that request fits the catalogue, if what denied it passes, and if nothing else is denied for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import default_zone, judged_as, machine_type_region_unfit, request_problems
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import LaunchRequest, check_labels
from confvm_gui.domain.policy import ComplianceRecord, Mode, Outcome, RuleFinding
from confvm_gui.fleet.launch.forced import derive_settings, great_circle_km, make_confidential, make_plain
from confvm_gui.fleet.launch.request_file import request_from_mapping, request_to_mapping

Check = Callable[[LaunchRequest], ComplianceRecord]

_ORDER: Final = ("technology", "region", "machine_type", "image")
"""These first, in this order: other fields follow from them."""
_FLAGS: Final = frozenset({"secure_boot", "vtpm", "integrity_monitoring", "attest"})
_LABEL: Final = "labels."


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One setting that a fix changes, as request files spell it."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """A request after all that could be fixed was fixed."""

    request: LaunchRequest
    changes: tuple[FieldChange, ...]
    record: ComplianceRecord
    """Of the fixed request: what is still denied has to be decided by a person."""


def denials(record: ComplianceRecord) -> list[RuleFinding]:
    """The findings for which a launch is refused."""
    return [
        finding
        for finding in record.findings
        if finding.mode is Mode.ENFORCE and finding.outcome in (Outcome.FAILS, Outcome.BROKEN)
    ]


def apply_fixes(
    catalog: Catalog,
    request: LaunchRequest,
    check: Check,
    *,
    technologies: frozenset[Technology] | None = None,
    disk_keys: Sequence[str] = (),
    warnings: bool = False,
) -> FixOutcome:
    """Change what has to change so that `check` denies nothing, as far as values are known that pass.

    `technologies`: what the provider runs; None for all. `disk_keys`: KeyRefs to choose from where a rule asks for
    another disk key and names none. `warnings`: also fix what only warns.
    """
    found = request
    record = check(found)
    tried: set[tuple[str, tuple[str, ...]]] = set()
    while True:
        wanted = _wanted(record, warnings)
        field = next((name for name in wanted if (name, _rules(wanted[name])) not in tried), None)
        if field is None:
            break
        tried.add((field, _rules(wanted[field])))
        better = _fixed(catalog, found, wanted[field], check, record, technologies, disk_keys, warnings)
        if better is not None:
            found, record = better
            tried.clear()  # what failed before may pass now; each step leaves less to fix, so this ends
    return FixOutcome(found, changes(request, found), record)


def changes(before: LaunchRequest, after: LaunchRequest) -> tuple[FieldChange, ...]:
    """Every setting in which the two differ."""
    found: list[FieldChange] = []
    for each in fields(LaunchRequest):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if each.name == "labels":
            keys = [*old, *(key for key in new if key not in old)]
            pairs = [(f"{_LABEL}{key}", old.get(key, ""), new.get(key, "")) for key in keys]
            found += [FieldChange(name, one, other) for name, one, other in pairs if one != other]
        elif old != new:
            found.append(FieldChange(each.name, _spelt(old), _spelt(new)))
    return tuple(found)


def _rules(findings: Sequence[RuleFinding]) -> tuple[str, ...]:
    return tuple(f"{finding.pack}/{finding.rule}" for finding in findings)


def _wanted(record: ComplianceRecord, warnings: bool) -> Mapping[str, list[RuleFinding]]:
    """Findings that name a fix, by its field, in the order in which fields are fixed."""
    by_field: dict[str, list[RuleFinding]] = {}
    for finding in record.findings:
        counts = finding.mode is Mode.ENFORCE or (warnings and finding.mode is Mode.WARN)
        if finding.outcome is Outcome.FAILS and finding.fix is not None and counts:
            by_field.setdefault(finding.fix.field, []).append(finding)
    names = sorted(by_field, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return {name: by_field[name] for name in names}


def _fixed(
    catalog: Catalog,
    request: LaunchRequest,
    findings: Sequence[RuleFinding],
    check: Check,
    record: ComplianceRecord,
    technologies: frozenset[Technology] | None,
    disk_keys: Sequence[str],
    warnings: bool,
) -> tuple[LaunchRequest, ComplianceRecord] | None:
    first = findings[0].fix
    assert first is not None
    field = first.field
    choices = list(first.choices) or (list(disk_keys) if field == "disk_key" else [])
    for other in findings[1:]:
        if other.fix is not None and other.fix.choices:
            choices = [choice for choice in choices if choice in other.fix.choices] or choices
    fitted_before = not request_problems(catalog, request)
    failing, asked = _failing(record, warnings), set(_rules(findings))
    for choice in _nearest_first(catalog, request, field, choices):
        try:
            trial = _with(catalog, request, field, choice)
        except (InvalidInput, NotFound):
            continue  # not of this cloud, or nothing in the catalogue goes with it
        if technologies is not None and trial.confidential and trial.technology not in technologies:
            continue
        if fitted_before and request_problems(catalog, trial):
            continue
        found = check(trial)
        left = _failing(found, warnings)
        if left < failing and not left & asked:
            return trial, found
    return None


def _failing(record: ComplianceRecord, warnings: bool) -> set[str]:
    modes = (Mode.ENFORCE, Mode.WARN) if warnings else (Mode.ENFORCE,)
    kept = [one for one in record.findings if one.mode in modes and one.outcome is not Outcome.EXCEPTED]
    return set(_rules(kept))


def _nearest_first(catalog: Catalog, request: LaunchRequest, field: str, choices: list[str]) -> list[str]:
    """Regions by distance, names by what they share with the present one; else as the rule has them."""
    if field == "region":
        known = {region.name: region for region in catalog.regions(request.cloud)}
        here = known.get(request.region)
        found = [choice for choice in choices if choice in known]
        if here is None or not here.placed:
            return found
        return sorted(found, key=lambda name: great_circle_km(here, known[name]))
    if field in ("image", "machine_type"):
        present = request.image if field == "image" else request.machine_type
        wanted = present.rpartition("-")[2] if field == "machine_type" else ""
        return sorted(choices, key=lambda name: (-name.endswith(f"-{wanted}"), -_shared(name, present)))
    return choices


def _shared(one: str, other: str) -> int:
    """Characters with which both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _with(catalog: Catalog, request: LaunchRequest, field: str, choice: str) -> LaunchRequest:
    """`request` with `choice`, and with what that forces. Raises InvalidInput, NotFound."""
    if field in _FLAGS:
        changed = _replaced(request, field, choice == "true")
        # Integrity monitoring compares what a vTPM measured.
        return replace(changed, vtpm=True) if field == "integrity_monitoring" and choice == "true" else changed
    if field.startswith(_LABEL):
        labels = check_labels({**request.labels, field.removeprefix(_LABEL): choice})
        return replace(request, labels=MappingProxyType(dict(labels)))
    match field:
        case "technology":
            return _settled(catalog, request, _replaced(request, field, choice).technology)
        case "region":
            region = catalog.region(request.cloud, choice)
            judged = judged_as(catalog, request.provider, request.cloud, request.technology)
            zone = default_zone(region, judged) or region.zones[0]
            changed = _settled(catalog, replace(request, region=choice, zone=zone), request.technology)
            machine = catalog.machine_type(changed.cloud, changed.machine_type)
            if changed.region != choice or machine_type_region_unfit(machine, region):
                raise InvalidInput("region", f"{request.machine_type} cannot be had in {choice}")
            return changed
        case "machine_type":
            catalog.machine_type(request.cloud, choice)
            return _settled(catalog, replace(request, machine_type=choice), request.technology)
        case "image":
            catalog.image(request.cloud, choice)
            return _settled(catalog, replace(request, image=choice), request.technology)
        case "zone" | "min_cpu_platform" | "disk_key" | "host_maintenance":
            return _replaced(request, field, choice)
    raise InvalidInput(field, "This field decides too much else to be changed by itself")


def _settled(catalog: Catalog, request: LaunchRequest, technology: Technology) -> LaunchRequest:
    """`request` with `technology` and all that is forced by it."""
    if technology is Technology.NONE:
        changed, _ = (
            make_plain(catalog, request) if request.confidential else derive_settings(catalog, request)
        )  # else nothing was protected before either
        return changed
    changed, _ = make_confidential(catalog, request, technology)
    return changed


def _replaced(request: LaunchRequest, field: str, value: object) -> LaunchRequest:
    """`request` with one field as request files spell it. Raises InvalidInput."""
    return request_from_mapping({**request_to_mapping(request), field: value})


def _spelt(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    return "" if value is None else str(value)
