"""The kinds of entries: each file's tables made into the domain's nouns.

Formats are described at the head of the files in `resources/catalog`.
"""

from __future__ import annotations

import re

from confvm_gui.catalog.toml_tables import MAX_ENTRIES, Sources, Table, check_name, iso_date
from confvm_gui.domain.catalogue import Image, MachineType, Region, Technology, TechnologyInfo
from confvm_gui.domain.images import ImageDownload

_KERNEL = re.compile(r"[0-9]{1,3}\.[0-9]{1,4}(\.[0-9]{1,4})?")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_ADDRESS = re.compile(r"https://[a-z0-9.-]+(/[A-Za-z0-9._~%+:@,=-]*)+(\?[A-Za-z0-9._~%=&-]*)?")
_SYSTEMS = ("linux", "windows")
_MOST_VCPUS = 4096
_MOST_GIB = 1 << 20


def parse_technologies(file: Table) -> tuple[TechnologyInfo, ...]:
    """`technologies.toml`, in the file's order."""
    sources = Sources(file)
    found: list[TechnologyInfo] = []
    for name, entry in file.entries("technologies", "technology"):
        technology = entry.technology(name)
        found.append(
            TechnologyInfo(
                technology=technology,
                title=technology.title,
                vendor=entry.text("vendor"),
                memory_encryption=entry.text("memory_encryption"),
                integrity=entry.text("integrity"),
                register_state=entry.text("register_state"),
                attestation=entry.text("attestation"),
                granularity=entry.text("granularity"),
                limits=entry.text("limits"),
                source=sources.of(entry),
            )
        )
        entry.done()
    file.done()
    return tuple(found)


def parse_regions(file: Table, cloud: str) -> tuple[Region, ...]:
    """`CLOUD-regions.toml`. Zone names are unique within the cloud."""
    sources = Sources(file)
    pattern = file.text("zone_pattern")
    if "{zone}" not in pattern:
        raise file.error("zone_pattern must have {zone} in it")
    found: list[Region] = []
    seen: set[str] = set()
    for name, entry in file.entries("regions", "region"):
        region = _region(cloud, name, entry, pattern, sources)
        for zone in region.zones:
            if zone in seen:
                raise entry.error(f"the zone {zone} is in another region too")
            seen.add(zone)
        found.append(region)
    file.done()
    return tuple(found)


def _region(cloud: str, name: str, entry: Table, pattern: str, sources: Sources) -> Region:
    title = entry.text("title")
    placed = entry.has("at")
    latitude, longitude = entry.coordinates("at") if placed else (0.0, 0.0)
    letters = entry.text("zones")
    launch_set = entry.flag("launch_set")
    source = sources.of(entry)
    if len(set(letters)) != len(letters):
        raise entry.error("zones names a zone twice")
    zones = {letter: pattern.replace("{region}", name).replace("{zone}", letter) for letter in letters}
    # A region without zones of its own is one zone.
    every = tuple(check_name(zone, entry.where) for zone in zones.values()) or (name,)
    offered: list[tuple[Technology, tuple[str, ...]]] = []
    for key in entry.keys_left():
        # What is left must be technologies; a misspelt key is told as "no technology of that name".
        technology = entry.technology(key)
        wanted = entry.text(key)
        if wanted == "*":
            offered.append((technology, every))
            continue
        for letter in wanted:
            if letter not in zones:
                raise entry.error(
                    f"{key} names the zone {letter!r}, which is not one of the region's zones {letters!r}"
                )
        if not wanted or len(set(wanted)) != len(wanted):
            raise entry.error(f"{key} must name zones, each once")
        offered.append((technology, tuple(zones[letter] for letter in wanted)))
    return Region(
        cloud=cloud,
        name=name,
        title=title,
        latitude=latitude,
        longitude=longitude,
        zones=every,
        zones_by_technology=tuple(offered),
        launch_set=launch_set,
        source=source,
        placed=placed,
    )


def parse_machine_types(file: Table, cloud: str, regions: frozenset[str]) -> tuple[MachineType, ...]:
    """`CLOUD-machine-types.toml`, sizes written out; `regions` are the cloud's."""
    sources = Sources(file)
    found: dict[str, MachineType] = {}
    for series, entry in file.entries("series", "series"):
        for machine_type in _series(cloud, series, entry, sources, regions):
            if machine_type.name in found:
                raise entry.error(f"the machine type {machine_type.name} is there twice")
            found[machine_type.name] = machine_type
            if len(found) > MAX_ENTRIES:
                raise file.error(f"there are more than {MAX_ENTRIES} machine types")
    file.done()
    return tuple(found.values())


def _series(
    cloud: str, series: str, entry: Table, sources: Sources, known_regions: frozenset[str]
) -> list[MachineType]:
    platforms = entry.texts("platforms")
    technologies = entry.technologies("technologies")
    live_migration = entry.technologies("live_migration", optional=True, none_allowed=True)
    regions = frozenset(entry.texts("regions", optional=True))
    source = sources.of(entry)
    unknown = sorted(regions - known_regions)
    if unknown:
        raise entry.error(f"there is no region {unknown[0]}")
    forced: list[tuple[Technology, str]] = []
    if entry.has("platform"):
        table = entry.table("platform")
        for key in table.keys_left():
            technology, platform = table.technology(key), table.text(key)
            if technology not in technologies or platform not in platforms:
                raise table.error(f"{key} = {platform!r} is not a technology and platform of the series")
            forced.append((technology, platform))
    if not live_migration - {Technology.NONE} <= technologies:
        raise entry.error("live_migration names a technology that the series does not offer")
    found: list[MachineType] = []
    for rule in entry.tables("types"):
        own = rule.technologies("technologies") if rule.has("technologies") else technologies
        if not own <= technologies:
            raise rule.error("technologies must be among those of the series")
        for name, vcpus, gib in _sizes(rule):
            found.append(
                MachineType(
                    cloud=cloud,
                    name=name,
                    series=series,
                    vcpus=vcpus,
                    memory_mib=gib * 1024,
                    cpu_platforms=platforms,
                    technologies=own,
                    platform_by_technology=tuple(pair for pair in forced if pair[0] in own),
                    live_migration=live_migration & (own | {Technology.NONE}),
                    source=source,
                    regions=regions,
                )
            )
    entry.done()
    return found


def _sizes(rule: Table) -> list[tuple[str, int, int]]:
    """Name, vCPUs and GiB of each size of one rule."""
    pattern = rule.text("name")
    vcpus = rule.wholes("vcpus", most=_MOST_VCPUS)
    if rule.has("gib_per_vcpu"):
        ratio = rule.whole("gib_per_vcpu", most=1024)
        memory = tuple(count * ratio for count in vcpus)
    else:
        memory = rule.wholes("memory_gib", most=_MOST_GIB)
    sizes = rule.texts("sizes") if rule.has("sizes") else tuple(str(count) for count in vcpus)
    rule.done()
    if not len(vcpus) == len(memory) == len(sizes):
        raise rule.error("vcpus, memory_gib and sizes must have as many items as each other")
    return [
        (check_name(pattern.replace("{size}", size), rule.where), count, gib)
        for size, count, gib in zip(sizes, vcpus, memory, strict=True)
    ]


def parse_images(file: Table, cloud: str) -> tuple[Image, ...]:
    """`CLOUD-images.toml`, in the file's order."""
    sources = Sources(file)
    found: list[Image] = []
    for name, entry in file.entries("images", "image"):
        image = Image(
            cloud=cloud,
            name=name,
            title=entry.text("title"),
            family=entry.text("family"),
            project=entry.text("project"),
            os=entry.text("os", "linux"),
            kernel=entry.text("kernel", ""),
            minimum_kernel=entry.text("minimum_kernel", ""),
            features=frozenset(entry.texts("features")),
            technologies=entry.technologies("technologies"),
            launch_set=entry.flag("launch_set"),
            end_of_support=iso_date(entry, "end_of_support", ""),
            source=sources.of(entry),
            download=_download(entry.table("download")) if entry.has("download") else None,
        )
        entry.done()
        if image.os not in _SYSTEMS:
            raise entry.error("os must be linux or windows")
        for kernel in (image.kernel, image.minimum_kernel):
            if kernel and not _KERNEL.fullmatch(kernel):
                raise entry.error(f"{kernel!r} is not a kernel version like 5.4 or 4.19.112")
        found.append(image)
    file.done()
    return tuple(found)


def _download(table: Table) -> ImageDownload:
    """Addresses are https and lead to files; who is named as the signer must have a key, and the reverse."""
    download = ImageDownload(
        url=table.text("url"),
        checksums_url=table.text("checksums_url"),
        signature_url=table.text("signature_url", ""),
        signed_by=table.texts("signed_by", optional=True),
        key_url=table.text("key_url", ""),
        mirrors=table.texts("mirrors", optional=True),
    )
    table.done()
    for address in (download.url, download.checksums_url, *download.mirrors):
        if not _ADDRESS.fullmatch(address):
            raise table.error(f"{address[:100]!r} is not an https address of a file")
    for address in (download.signature_url, download.key_url):
        if address and not _ADDRESS.fullmatch(address):
            raise table.error(f"{address[:100]!r} is not an https address of a file")
    for fingerprint in download.signed_by:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise table.error("signed_by holds fingerprints of 40 or 64 upper-case hexadecimal digits")
    if len({bool(download.signature_url), bool(download.signed_by), bool(download.key_url)}) != 1:
        raise table.error("signature_url, signed_by and key_url come together")
    return download
