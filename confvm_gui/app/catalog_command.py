"""`confvm catalog images|regions|machine-types|technologies`: the catalogue as tables or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import TextIO

from confvm_gui.catalog import Catalog, load_catalog
from confvm_gui.domain.catalogue import Image, MachineType, Region, Source, Technology, TechnologyInfo
from confvm_gui.domain.errors import InvalidInput

LINE_WIDTH = 120
"""Columns that every line of text fits in, but for URLs, which are never cut."""

EVERY_CLOUD = "embedded"
"""The embedded provider rehearses launches of all clouds: it lists everything."""

_Row = tuple[str, ...]


def run_catalog(what: str, cloud: str | None, as_json: bool, out: TextIO) -> int:
    """Print what the catalogue has of `what` to `out`; `cloud` None or EVERY_CLOUD means all.

    Returns 0. Raises InvalidInput: `what` for an unknown list, `provider` for an unknown cloud, `catalog` for a
    damaged file.
    """
    listing = _LISTINGS.get(what)
    if listing is None:
        raise InvalidInput("what", f"There is no list {what[:60]!r}; choose one of {', '.join(_LISTINGS)}")
    catalog = load_catalog()
    if cloud in (None, EVERY_CLOUD):
        clouds = catalog.clouds
    elif cloud in catalog.clouds:
        clouds = (cloud,)
    else:
        known = ", ".join((*catalog.clouds, EVERY_CLOUD))
        raise InvalidInput("provider", f"The catalogue has no provider {cloud[:60]!r}; choose one of {known}")
    json_rows, print_text = listing
    if as_json:
        json.dump(json_rows(catalog, clouds), out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        print_text(catalog, clouds, out)
    return 0


# JSON: one object for each entry, with its source


def _source_json(source: Source) -> dict[str, str]:
    return {"title": source.title, "url": source.url, "retrieved": source.retrieved}


def _values(technologies: Iterable[Technology]) -> list[str]:
    """Spellings in the order of the enumeration, so that sets print alike each time."""
    chosen = set(technologies)
    return [technology.value for technology in Technology if technology in chosen]


def _image_json(image: Image) -> dict[str, object]:
    return {
        "cloud": image.cloud,
        "name": image.name,
        "title": image.title,
        "family": image.family,
        "project": image.project,
        "os": image.os,
        "kernel": image.kernel,
        "minimum_kernel": image.minimum_kernel,
        "features": sorted(image.features),
        "technologies": _values(image.technologies),
        "launch_set": image.launch_set,
        "end_of_support": image.end_of_support,
        "download": None if image.download is None else asdict(image.download),
        "source": _source_json(image.source),
    }


def _region_json(region: Region) -> dict[str, object]:
    return {
        "cloud": region.cloud,
        "name": region.name,
        "title": region.title,
        "latitude": region.latitude if region.placed else None,
        "longitude": region.longitude if region.placed else None,
        "zones": list(region.zones),
        "technologies": {technology.value: list(zones) for technology, zones in region.zones_by_technology},
        "launch_set": region.launch_set,
        "source": _source_json(region.source),
    }


def _machine_type_json(machine_type: MachineType) -> dict[str, object]:
    return {
        "cloud": machine_type.cloud,
        "name": machine_type.name,
        "series": machine_type.series,
        "vcpus": machine_type.vcpus,
        "memory_mib": machine_type.memory_mib,
        "cpu_platforms": list(machine_type.cpu_platforms),
        "technologies": _values(machine_type.technologies),
        "min_cpu_platform": {technology.value: name for technology, name in machine_type.platform_by_technology},
        "live_migration": _values(machine_type.live_migration),
        "regions": sorted(machine_type.regions),
        "source": _source_json(machine_type.source),
    }


def _technology_json(catalog: Catalog, info: TechnologyInfo) -> dict[str, object]:
    return {
        "name": info.technology.value,
        "title": info.title,
        "vendor": info.vendor,
        "memory_encryption": info.memory_encryption,
        "integrity": info.integrity,
        "register_state": info.register_state,
        "attestation": info.attestation,
        "granularity": info.granularity,
        "limits": info.limits,
        "clouds": _offering(catalog, info.technology),
        "source": _source_json(info.source),
    }


def _offering(catalog: Catalog, technology: Technology) -> list[str]:
    return [cloud for cloud in catalog.clouds if technology in catalog.offered_technologies(cloud)]


def _chosen_technologies(catalog: Catalog, clouds: Sequence[str]) -> list[TechnologyInfo]:
    """Those that one of `clouds` offers."""
    return [info for info in catalog.technologies() if set(_offering(catalog, info.technology)) & set(clouds)]


# Text: a table for each cloud, then the documents it was taken from


def _image_row(image: Image) -> _Row:
    launch = "launch set" if image.launch_set else ""
    technologies = " ".join(_values(image.technologies)) or "-"
    return (image.name, image.title, technologies, image.kernel or "-", image.end_of_support or "-", launch)


def _region_row(region: Region) -> _Row:
    launch = "launch set" if region.launch_set else ""
    offered = ", ".join(
        f"{technology.value} {_short(region, zones)}" for technology, zones in region.zones_by_technology
    )
    return (region.name, region.title, _short(region, region.zones), offered or "-", launch)


def _short(region: Region, zones: Sequence[str]) -> str:
    """Zones without what they share with the region's name: `a b c`."""
    if tuple(zones) == (region.name,):
        return "whole region"
    return " ".join(zone.removeprefix(region.name).lstrip("-") for zone in zones)


def _machine_type_row(machine_type: MachineType) -> _Row:
    gib, rest = divmod(machine_type.memory_mib, 1024)
    memory = f"{gib} GiB" if not rest else f"{machine_type.memory_mib} MiB"
    return (
        machine_type.name,
        str(machine_type.vcpus),
        memory,
        " ".join(_values(machine_type.technologies)) or "-",
        " ".join(_values(machine_type.live_migration)) or "-",
        ", ".join(machine_type.cpu_platforms),
    )


def _print_tables(
    catalog: Catalog,
    clouds: Sequence[str],
    out: TextIO,
    header: _Row,
    right: frozenset[int],
    rows: Callable[[str], Sequence[tuple[_Row, Source]]],
) -> None:
    for index, cloud in enumerate(clouds):
        listed = rows(cloud)
        out.write(f"{'' if index == 0 else chr(10)}{catalog.cloud_title(cloud)} ({cloud})\n")
        for line in _aligned([header, *(row for row, _ in listed)], right):
            out.write(line + "\n")
        _print_sources(dict.fromkeys(source for _, source in listed), out)


def _aligned(rows: Sequence[_Row], right: frozenset[int]) -> list[str]:
    """Rows as lines of at most LINE_WIDTH columns.

    The first column is what is typed elsewhere and is never cut; the widest of the others gives way until all fits.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    while sum(widths) + 2 * len(widths) > LINE_WIDTH and max(widths[1:]) > 8:
        widest = max(range(1, len(widths)), key=widths.__getitem__)
        widths[widest] -= 1
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(map(_cut, row, widths), widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _print_sources(sources: Iterable[Source], out: TextIO) -> None:
    for source in sources:
        out.write(_wrapped(f"Source: {_cited(source)}", "  ", "    "))
        out.write(f"    {source.url}\n")


def _cited(source: Source) -> str:
    return f"{source.title}, read {source.retrieved}" if source.retrieved else source.title


def _wrapped(text: str, first: str, other: str) -> str:
    lines = textwrap.wrap(text, LINE_WIDTH, initial_indent=first, subsequent_indent=other)
    return "\n".join(lines) + "\n"


def _print_images(catalog: Catalog, clouds: Sequence[str], out: TextIO) -> None:
    header = ("IMAGE", "TITLE", "TECHNOLOGIES", "KERNEL", "SUPPORTED TO", "")
    rows = {cloud: [(_image_row(image), image.source) for image in catalog.images(cloud)] for cloud in clouds}
    _print_tables(catalog, clouds, out, header, frozenset(), rows.__getitem__)


def _print_regions(catalog: Catalog, clouds: Sequence[str], out: TextIO) -> None:
    header = ("REGION", "PLACE", "ZONES", "TECHNOLOGIES AND THEIR ZONES", "")
    rows = {cloud: [(_region_row(region), region.source) for region in catalog.regions(cloud)] for cloud in clouds}
    _print_tables(catalog, clouds, out, header, frozenset(), rows.__getitem__)


def _print_machine_types(catalog: Catalog, clouds: Sequence[str], out: TextIO) -> None:
    header = ("MACHINE TYPE", "VCPUS", "MEMORY", "TECHNOLOGIES", "LIVE MIGRATION", "CPU PLATFORMS")
    rows = {
        cloud: [(_machine_type_row(machine_type), machine_type.source) for machine_type in catalog.machine_types(cloud)]
        for cloud in clouds
    }
    _print_tables(catalog, clouds, out, header, frozenset({1, 2}), rows.__getitem__)


def _print_technologies(catalog: Catalog, clouds: Sequence[str], out: TextIO) -> None:
    for index, info in enumerate(_chosen_technologies(catalog, clouds)):
        out.write(f"{'' if index == 0 else chr(10)}{info.title} ({info.technology.value})\n")
        facts = {
            "Vendor": info.vendor,
            "Offered by": ", ".join(map(catalog.cloud_title, _offering(catalog, info.technology))),
            "Protects": info.granularity,
            "Memory": info.memory_encryption,
            "Integrity": info.integrity,
            "Registers": info.register_state,
            "Attestation": info.attestation,
            "Limits": info.limits,
            "Source": _cited(info.source),
        }
        for name, text in facts.items():
            out.write(_wrapped(text, f"  {name:<11} ", " " * 14))
        out.write(" " * 14 + info.source.url + "\n")


_JsonRows = Callable[[Catalog, Sequence[str]], list[dict[str, object]]]
_PrintText = Callable[[Catalog, Sequence[str], TextIO], None]

_LISTINGS: Mapping[str, tuple[_JsonRows, _PrintText]] = MappingProxyType(
    {
        "images": (
            lambda catalog, clouds: [_image_json(entry) for cloud in clouds for entry in catalog.images(cloud)],
            _print_images,
        ),
        "regions": (
            lambda catalog, clouds: [_region_json(entry) for cloud in clouds for entry in catalog.regions(cloud)],
            _print_regions,
        ),
        "machine-types": (
            lambda catalog, clouds: [
                _machine_type_json(entry) for cloud in clouds for entry in catalog.machine_types(cloud)
            ],
            _print_machine_types,
        ),
        "technologies": (
            lambda catalog, clouds: [
                _technology_json(catalog, entry) for entry in _chosen_technologies(catalog, clouds)
            ],
            _print_technologies,
        ),
    }
)
