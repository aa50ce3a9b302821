"""What a project can choose from, as Google itself tells: zones with their CPU platforms, machine types, images.

Google does not tell which series, in which zone, are offered with which technology, nor where a region lies: that is
the shipped catalogue's, whose entries stay. What is new is added, and what Google knows better is taken over: zones,
sizes of known series and where these are, the capability flags of images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import CAPABILITY_FLAG
from confvm_gui.domain.catalogue import Image, MachineType, Region, Source, Technology
from confvm_gui.providers.gce.connection import Clients, GceConnection
from confvm_gui.providers.gce.instance_read import CLOUD, last_part

_SOURCE: Final = Source("Compute Engine API v1, as this project sees it", "https://compute.googleapis.com/", "")
_SEV_PLATFORMS: Final = frozenset({"AMD Milan", "AMD Genoa", "AMD Turin"})
"""Offered wherever the platform is (Confidential VM, "Supported configurations")."""
_IMAGE_NAME: Final = re.compile(r"[a-z][-a-z0-9]{0,62}")


@dataclass(frozen=True, slots=True)
class Told:
    """What Google has told."""

    zones: Mapping[str, frozenset[str]]
    """CPU platforms of each."""
    sizes: Mapping[str, tuple[int, int]]
    """vCPUs and MiB of each machine type."""
    places: Mapping[str, frozenset[str]]
    """Regions of each machine type."""
    images: Sequence[tuple[str, str, str, frozenset[str]]]
    """Project, name, family, flags; the newest of each family last."""


async def read(connection: GceConnection, catalog: Catalog) -> Told:
    """Ask for all of it. Raises what the connection raises."""
    patience = connection.patience.answer
    projects = {image.project for image in catalog.images(CLOUD)} | {connection.project}

    def zones(clients: Clients) -> Mapping[str, frozenset[str]]:
        found = clients.zones.list(project=connection.project, timeout=patience, retry=None)
        return {str(zone.name): frozenset(zone.available_cpu_platforms) for zone in found if zone.status == "UP"}

    def machine_types(clients: Clients) -> list[tuple[str, str, int, int]]:
        request = clients.types.AggregatedListMachineTypesRequest(project=connection.project, max_results=500)
        pager = clients.machine_types.aggregated_list(request=request, timeout=patience, retry=None)
        return [
            (str(each.name), last_part(zone), int(each.guest_cpus), int(each.memory_mb))
            for page in pager.pages
            for zone, scope in type(page).pb(page).items.items()
            for each in scope.machine_types
        ]

    def images(clients: Clients, project: str) -> list[tuple[str, str, str, frozenset[str]]]:
        request = clients.types.ListImagesRequest(project=project, filter="status = READY", max_results=500)
        found: list[Any] = [
            image
            for image in clients.images.list(request=request, timeout=patience, retry=None)
            if not image.deprecated.state
        ]
        found.sort(key=lambda image: str(image.creation_timestamp))
        return [
            (project, str(each.name), str(each.family), frozenset(str(flag.type_) for flag in each.guest_os_features))
            for each in found
        ]

    platforms = await connection.call(zones)
    sizes: dict[str, tuple[int, int]] = {}
    places: dict[str, set[str]] = {}
    for name, zone, vcpus, memory in await connection.call(machine_types):
        sizes[name] = (vcpus, memory)
        places.setdefault(name, set()).add(zone.rpartition("-")[0])
    told: list[tuple[str, str, str, frozenset[str]]] = []
    for project in sorted(projects):
        told += await connection.call(partial(images, project=project))
    return Told(platforms, sizes, {name: frozenset(regions) for name, regions in places.items()}, told)


def regions(catalog: Catalog, told: Told) -> Sequence[Region]:
    """The shipped ones, with the zones that there are now, and those that are new."""
    by_region: dict[str, list[str]] = {}
    for zone in sorted(told.zones):
        by_region.setdefault(zone.rpartition("-")[0], []).append(zone)
    found = [_with_zones(region, by_region.pop(region.name, []), told) for region in catalog.regions(CLOUD)]
    for name, zones in by_region.items():
        new = Region(CLOUD, name, name, 0.0, 0.0, (), (), False, _SOURCE, placed=False)
        found.append(_with_zones(new, zones, told))
    return found


def machine_types(catalog: Catalog, told: Told) -> Sequence[MachineType]:
    """The shipped ones with where they are, and the further sizes of their series."""
    found = {entry.name: entry for entry in catalog.machine_types(CLOUD)}
    series = {_kind(entry.name): entry for entry in found.values()}
    for name, (vcpus, memory) in told.sizes.items():
        known = found.get(name)
        if known is not None:
            found[name] = replace(known, vcpus=vcpus, memory_mib=memory, regions=known.regions | told.places[name])
        elif (like := series.get(_kind(name))) is not None:
            found[name] = replace(
                like, name=name, vcpus=vcpus, memory_mib=memory, regions=told.places[name], source=_SOURCE
            )
    return list(found.values())


def images(catalog: Catalog, told: Told, project: str) -> Sequence[Image]:
    """The shipped ones with the flags of their family's newest image, and the project's own."""
    newest = {(owner, family): flags for owner, _name, family, flags in told.images if family}
    found = {}
    for image in catalog.images(CLOUD):
        flags = newest.get((image.project, image.family))
        found[image.name] = image if flags is None else replace(image, features=flags, technologies=_able(flags))
    for owner, name, _family, flags in told.images:
        if owner == project and name not in found and _IMAGE_NAME.fullmatch(name):
            system = "windows" if "WINDOWS" in flags else "linux"
            found[name] = Image(CLOUD, name, name, "", owner, system, "", "", flags, _able(flags), False, "", _SOURCE)
    return list(found.values())


def _with_zones(region: Region, zones: Sequence[str], told: Told) -> Region:
    every = (*region.zones, *(zone for zone in zones if zone not in region.zones))
    offered = dict(region.zones_by_technology)
    sev = offered.get(Technology.SEV, ())
    more = tuple(zone for zone in zones if zone not in sev and told.zones[zone] & _SEV_PLATFORMS)
    if sev or more:
        offered[Technology.SEV] = (*sev, *more)
    return replace(region, zones=every, zones_by_technology=tuple(offered.items()))


def _able(flags: frozenset[str]) -> frozenset[Technology]:
    return frozenset(technology for technology, flag in CAPABILITY_FLAG.items() if flag in flags)


def _kind(name: str) -> str:
    """`n2d-standard` of `n2d-standard-4`; local disks and bare metal are kinds of their own."""
    return re.sub(r"-\d+g?(?=-|$)", "", name)
