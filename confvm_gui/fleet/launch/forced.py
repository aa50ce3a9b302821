"""What ticking the checkbox must change, and the nearest sensible replacement for each.

Google's console lists these settings before it applies them: series and machine type, minimum CPU platform, region
and zone, image, host maintenance, network interface. So does ours, in the same order. Nothing is changed that
already fits, and nothing is changed without a reason that a person can read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import (
    LIVE_MIGRATION_FLAG,
    default_zone,
    forced_nic_type,
    forced_platform,
    host_maintenance,
    image_unfit,
    is_library_image,
    judged_as,
    machine_type_region_unfit,
    machine_type_unfit,
    region_unfit,
    zone_unfit,
)
from confvm_gui.domain.catalogue import Image, MachineType, Region, Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest

GCE = "gce"
EARTH_RADIUS_KM = 6371.0

_ORDER = ("machine_type", "min_cpu_platform", "region", "zone", "image", "host_maintenance", "nic_type")
"""In which changes are listed: that of Google's console."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class ForcedSetting:
    """One setting that the choice of a technology changes."""

    field: str
    """Of `LaunchRequest`: `machine_type`, `min_cpu_platform`, `region`, `zone`, `image` …"""
    before: str
    """As it was, in the request's spelling; "" where it was not set."""
    after: str
    reason: str
    """Why it cannot stay, in one sentence."""


def make_confidential(
    catalog: Catalog, request: LaunchRequest, technology: Technology
) -> tuple[LaunchRequest, tuple[ForcedSetting, ...]]:
    """`request` made confidential with `technology`, and every setting that had to change for it.

    Raises InvalidInput("technology") when nothing in the catalogue of the request's cloud can replace a setting
    that does not fit, and NotFound when the request names something that is not in the catalogue.
    """
    if technology is Technology.NONE:
        return make_plain(catalog, request)
    judged = judged_as(catalog, request.provider, request.cloud, technology)
    if judged not in catalog.offered_technologies(request.cloud):
        raise InvalidInput(
            "technology", f"{catalog.cloud_title(request.cloud)} does not offer {technology.title}; choose another"
        )
    forced: list[ForcedSetting] = []

    def replace_with(field: str, before: str, after: str, reason: str) -> None:
        if after != before:
            forced.append(ForcedSetting(field, before, after, reason))

    region = catalog.region(request.cloud, request.region)
    machine_type = catalog.machine_type(request.cloud, request.machine_type)
    reason = machine_type_unfit(machine_type, judged)
    if reason:
        machine_type = _nearest_machine_type(catalog, machine_type, region, judged)
        replace_with("machine_type", request.machine_type, machine_type.name, reason)

    reason = region_unfit(region, judged) or machine_type_region_unfit(machine_type, region)
    if reason:
        region = _nearest_region(catalog, region, machine_type, judged)
        replace_with("region", request.region, region.name, reason)
    zone, reason = request.zone, ""
    if zone not in region.zones:
        reason = f"{zone or 'No zone'} is not a zone of {region.name}"
    else:
        reason = zone_unfit(region, zone, judged)
    if reason:
        zone = default_zone(region, judged)
        replace_with("zone", request.zone, zone, reason)

    image_name = request.image
    if not is_library_image(image_name):
        image = catalog.image(request.cloud, image_name)
        reason = image_unfit(image, judged)
        if reason:
            image_name = _nearest_image(catalog, image, judged).name
            replace_with("image", request.image, image_name, reason)

    changed = replace(
        request,
        technology=technology,
        machine_type=machine_type.name,
        region=region.name,
        zone=zone,
        image=image_name,
    )
    changed, derived = derive_settings(catalog, changed)
    forced.extend(derived)
    forced.sort(key=lambda item: _ORDER.index(item.field))
    return changed, tuple(forced)


def make_plain(catalog: Catalog, request: LaunchRequest) -> tuple[LaunchRequest, tuple[ForcedSetting, ...]]:
    """`request` without protection of its memory in use, and the settings that only that protection needed."""
    changed = replace(request, technology=Technology.NONE)
    forced: list[ForcedSetting] = []
    if changed.min_cpu_platform:
        changed = replace(changed, min_cpu_platform="")
        forced.append(
            ForcedSetting("min_cpu_platform", request.min_cpu_platform, "", "A plain VM needs no minimum CPU platform")
        )
    changed, derived = derive_settings(catalog, changed)
    return changed, (*forced, *derived)


def derive_settings(catalog: Catalog, request: LaunchRequest) -> tuple[LaunchRequest, tuple[ForcedSetting, ...]]:
    """Change what the machine type and technology leave no choice in, and that nobody chooses by hand.

    These are `min_cpu_platform`, `host_maintenance` and `nic_type`, which exist on Compute Engine only: requests for
    other clouds stay as they are. What is allowed stays too. Raises NotFound for an unknown machine type.
    """
    if request.cloud != GCE:
        return request, ()
    machine_type = catalog.machine_type(request.cloud, request.machine_type)
    technology = judged_as(catalog, request.provider, request.cloud, request.technology)
    series = machine_type.series.upper()
    forced: list[ForcedSetting] = []

    platform = request.min_cpu_platform
    if technology is not Technology.NONE and not machine_type_unfit(machine_type, technology):
        platform = forced_platform(machine_type, technology)
        if platform != request.min_cpu_platform:
            reason = (
                f"{technology.title} on {series} machines runs on {platform} or later"
                if platform
                else f"{technology.title} takes no minimum CPU platform"
            )
            forced.append(ForcedSetting("min_cpu_platform", request.min_cpu_platform, platform, reason))

    maintenance = request.host_maintenance
    reason = _must_terminate(catalog, machine_type, request)
    if reason and maintenance is not HostMaintenance.TERMINATE:
        maintenance = HostMaintenance.TERMINATE
        forced.append(ForcedSetting("host_maintenance", request.host_maintenance.value, maintenance.value, reason))

    nic_type = forced_nic_type(machine_type, technology) or request.nic_type
    if nic_type != request.nic_type:
        kind = f"{series} machines have" if technology is Technology.NONE else "A confidential VM has"
        forced.append(ForcedSetting("nic_type", request.nic_type, nic_type, f"{kind} Google's virtual NIC (gVNIC)"))
    changed = replace(request, min_cpu_platform=platform, host_maintenance=maintenance, nic_type=nic_type)
    return changed, tuple(forced)


def settle(catalog: Catalog, request: LaunchRequest) -> LaunchRequest:
    """`request` with the best values of the settings that nobody chooses by hand: it migrates live if it can.

    Unlike `derive_settings` this takes back what an earlier choice had forced. Raises NotFound.
    """
    if request.cloud != GCE:
        return request
    free = replace(request, min_cpu_platform="", host_maintenance=HostMaintenance.MIGRATE)
    return derive_settings(catalog, free)[0]


def _must_terminate(catalog: Catalog, machine_type: MachineType, request: LaunchRequest) -> str:
    """Why the VM cannot migrate live, or ""."""
    technology = judged_as(catalog, request.provider, request.cloud, request.technology)
    if host_maintenance(machine_type, technology) is HostMaintenance.TERMINATE:
        how = "" if technology is Technology.NONE else f" with {technology.title}"
        return f"{machine_type.series.upper()} machines do not migrate live{how}"
    if technology is Technology.NONE:
        return ""
    try:
        image = catalog.image(request.cloud, request.image)
    except NotFound:
        return ""
    if LIVE_MIGRATION_FLAG in image.features:
        return ""
    return f"{image.title} lacks the capability flag {LIVE_MIGRATION_FLAG} and cannot migrate live"


def _nearest(
    candidates: Iterable[Entry],
    distance: Callable[[Entry], tuple[float, ...]],
    what: str,
    cloud: str,
    technology: Technology,
) -> Entry:
    # min() keeps the first of equals: the catalogue's order is the provider's own.
    nearest = min(candidates, key=distance, default=None)
    if nearest is None:
        raise InvalidInput("technology", f"{cloud} has no {what} for {technology.title}; choose another technology")
    return nearest


def _nearest_machine_type(catalog: Catalog, wanted: MachineType, region: Region, technology: Technology) -> MachineType:
    stay = not region_unfit(region, technology)

    def distance(candidate: MachineType) -> tuple[float, ...]:
        elsewhere = stay and bool(machine_type_region_unfit(candidate, region))
        vcpus = abs(math.log2(candidate.vcpus / wanted.vcpus))
        memory = abs(math.log2(candidate.memory_mib / wanted.memory_mib))
        return (elsewhere, candidate.series != wanted.series, vcpus + memory)

    fitting = [entry for entry in catalog.machine_types(wanted.cloud) if not machine_type_unfit(entry, technology)]
    return _nearest(fitting, distance, "machine type", catalog.cloud_title(wanted.cloud), technology)


def _nearest_region(catalog: Catalog, wanted: Region, machine_type: MachineType, technology: Technology) -> Region:
    fitting = [
        entry
        for entry in catalog.regions(wanted.cloud)
        if not region_unfit(entry, technology) and not machine_type_region_unfit(machine_type, entry)
    ]
    return _nearest(
        fitting,
        lambda candidate: (great_circle_km(wanted, candidate),),
        f"region with {machine_type.name}",
        catalog.cloud_title(wanted.cloud),
        technology,
    )


def _nearest_image(catalog: Catalog, wanted: Image, technology: Technology) -> Image:
    distribution, version = _distribution(wanted)

    def distance(candidate: Image) -> tuple[float, ...]:
        other, other_version = _distribution(candidate)
        if other == distribution:
            # The step to a newer release is the one that a person would take; an older one is half a step further.
            older = 0.5 if other_version < version else 0.0
            return (candidate.os != wanted.os, 0, abs(other_version - version) + older)
        supported = float(candidate.end_of_support.replace("-", "") or 0)
        return (candidate.os != wanted.os, 1 if other == "ubuntu" else 2, -supported)

    fitting = [entry for entry in catalog.images(wanted.cloud) if not image_unfit(entry, technology)]
    return _nearest(fitting, distance, "image", catalog.cloud_title(wanted.cloud), technology)


def _distribution(image: Image) -> tuple[str, float]:
    """Distribution and release of an image, from its family or name: `ubuntu-2004-lts` is ("ubuntu", 2004.0)."""
    text = image.family or image.name
    letters = re.match(r"[a-z]+", text.lower())
    digits = re.search(r"\d+", text)
    return (letters.group() if letters else text, float(digits.group()[:9]) if digits else 0.0)


def great_circle_km(one: Region, other: Region) -> float:
    """Distance over the earth's surface between two regions, in kilometres (haversine formula)."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    half_lat = (lat2 - lat1) / 2
    half_lon = math.radians(other.longitude - one.longitude) / 2
    a = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, a)))
