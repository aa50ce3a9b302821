"""What an account can choose from, as EC2 itself tells: zones, machine types with their technologies, own images.

EC2 tells which types have AMD SEV-SNP and Nitro Enclaves, and in which zones they are. Where SNP can be turned on is
told by no call: that, where regions lie, and Amazon's and the vendors' images are the shipped catalogue's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Image, MachineType, Region, Source, Technology
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.providers.aws.connection import HOME_REGION, AwsConnection, Clients
from confvm_gui.providers.aws.instance_read import CLOUD

_SOURCE: Final = Source("Amazon EC2 API, as this account sees it", "https://ec2.amazonaws.com/", "")
_SNP_FEATURE: Final = "amd-sev-snp"
_IMAGE_NAME: Final = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")


@dataclass(frozen=True, slots=True)
class RegionTold:
    """What EC2 has told of a region."""

    zones: tuple[str, ...]
    types: Mapping[str, Mapping[str, Any]]
    """`InstanceTypeInfo` of each type of the catalogue, or with a technology."""
    places: Mapping[str, frozenset[str]]
    """Zones of each of these types."""
    images: Sequence[Mapping[str, Any]]
    """The account's own."""


async def read(connection: AwsConnection, catalog: Catalog) -> Mapping[str, RegionTold]:
    """Ask every region that is turned on. Raises what the connection raises, if none answers."""

    def turned_on(clients: Clients) -> list[str]:
        return [str(each["RegionName"]) for each in clients.ec2(HOME_REGION).describe_regions()["Regions"]]

    names = await connection.call(turned_on)
    known = {entry.name for entry in catalog.machine_types(CLOUD)}
    answers = await asyncio.gather(
        *(connection.call(partial(_of_region, region=region, known=known)) for region in names), return_exceptions=True
    )
    told = {region: answer for region, answer in zip(names, answers, strict=True) if isinstance(answer, RegionTold)}
    for answer in answers:
        # A region that does not answer leaves what was known of it; where none does, the reason is told.
        if isinstance(answer, BaseException) and (not told or not isinstance(answer, ConfvmError)):
            raise answer
    return told


def _of_region(clients: Clients, region: str, known: set[str]) -> RegionTold:
    ec2 = clients.ec2(region)
    zones = tuple(sorted(str(zone["ZoneName"]) for zone in ec2.describe_availability_zones()["AvailabilityZones"]))
    types = {
        str(each["InstanceType"]): each
        for page in ec2.get_paginator("describe_instance_types").paginate()
        for each in page["InstanceTypes"]
        if str(each["InstanceType"]) in known or technologies(each)
    }
    places: dict[str, set[str]] = {}
    for page in ec2.get_paginator("describe_instance_type_offerings").paginate(LocationType="availability-zone"):
        for offer in page["InstanceTypeOfferings"]:
            if offer["InstanceType"] in types:
                places.setdefault(str(offer["InstanceType"]), set()).add(str(offer["Location"]))
    images = list(ec2.describe_images(Owners=["self"])["Images"])
    return RegionTold(zones, types, {name: frozenset(where) for name, where in places.items()}, images)


def technologies(info: Mapping[str, Any]) -> frozenset[Technology]:
    """Of an `InstanceTypeInfo`."""
    found = set()
    if _SNP_FEATURE in info.get("ProcessorInfo", {}).get("SupportedFeatures", ()):
        found.add(Technology.SEV_SNP)
    if info.get("NitroEnclavesSupport") == "supported":
        found.add(Technology.NITRO)
    return frozenset(found)


def regions(catalog: Catalog, told: Mapping[str, RegionTold]) -> Sequence[Region]:
    """The shipped ones, with the zones that there are now, and those that are new."""
    shipped = {region.name: region for region in catalog.regions(CLOUD)}
    for name in told:
        shipped.setdefault(name, Region(CLOUD, name, name, 0.0, 0.0, (), (), False, _SOURCE, placed=False))
    return [_with_zones(region, told[region.name]) if region.name in told else region for region in shipped.values()]


def machine_types(catalog: Catalog, told: Mapping[str, RegionTold]) -> Sequence[MachineType]:
    """The shipped ones with where they are, and further ones that have a technology."""
    found = {entry.name: entry for entry in catalog.machine_types(CLOUD)}
    for region, answer in told.items():
        for name, info in answer.types.items():
            if not answer.places.get(name):
                continue
            known = found.get(name) or _new(name, info)
            if known is not None:
                found[name] = replace(known, regions=known.regions | {region})
    return list(found.values())


def images(catalog: Catalog, told: Mapping[str, RegionTold]) -> Sequence[Image]:
    """The shipped ones, and the account's own."""
    found = {image.name: image for image in catalog.images(CLOUD)}
    for each in (image for answer in told.values() for image in answer.images):
        name = str(each.get("Name", ""))
        if name in found or not _IMAGE_NAME.fullmatch(name) or each.get("State") != "available":
            continue
        mode = str(each.get("BootMode", ""))
        able = {Technology.NITRO} | ({Technology.SEV_SNP} if mode in ("uefi", "uefi-preferred") else set())
        system = "windows" if str(each.get("Platform", "")).lower() == "windows" else "linux"
        flags = frozenset({mode} if mode else ())
        owner = str(each.get("OwnerId", "self"))
        found[name] = Image(CLOUD, name, name, "", owner, system, "", "", flags, frozenset(able), False, "", _SOURCE)
    return list(found.values())


def _with_zones(region: Region, told: RegionTold) -> Region:
    every = (*region.zones, *(zone for zone in told.zones if zone not in region.zones))
    offered = dict(region.zones_by_technology)
    for technology in (Technology.SEV_SNP, Technology.NITRO):
        before = offered.get(technology, ())
        if not before and technology is Technology.SEV_SNP:
            continue  # the type is there, but SNP cannot be turned on
        where = {
            zone
            for name, info in told.types.items()
            if technology in technologies(info)
            for zone in told.places.get(name, ())
        }
        zones = (*before, *sorted(where.difference(before)))
        if zones:
            offered[technology] = zones
    return replace(region, zones=every, zones_by_technology=tuple(offered.items()))


def _new(name: str, info: Mapping[str, Any]) -> MachineType | None:
    """A type that is not in the shipped catalogue; None for one without a technology."""
    able = technologies(info)
    vcpus = int(info.get("VCpuInfo", {}).get("DefaultVCpus", 0))
    memory = int(info.get("MemoryInfo", {}).get("SizeInMiB", 0))
    if not able or not vcpus or not memory:
        return None
    maker = str(info.get("ProcessorInfo", {}).get("Manufacturer", ""))
    platforms = (maker,) if maker else ()
    series = name.partition(".")[0]
    return MachineType(CLOUD, name, series, vcpus, memory, platforms, able, (), frozenset(), _SOURCE)
