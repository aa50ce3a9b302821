"""A launch request looked at whole, before anything is accepted.

`plan_launch` never replaces what a person chose: a region, machine type or image that does not fit is a problem with
its field's name. It fills in what follows from the choices (zone, minimum CPU platform, host maintenance, NIC) and
says so. Replacing choices is `make_confidential`, which the wizard shows and asks about first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Container
from dataclasses import dataclass, replace

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import (
    EMBEDDED,
    LIBVIRT,
    default_zone,
    image_unfit,
    is_library_image,
    judged_as,
    machine_type_region_unfit,
    machine_type_unfit,
    request_problems,
)
from confvm_gui.domain.catalogue import Image, MachineType, Region, Technology
from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound
from confvm_gui.domain.images import check_seed
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest, check_labels, check_name
from confvm_gui.fleet.launch.forced import GCE, ForcedSetting, derive_settings, settle

log = logging.getLogger(__name__)

KEY_REF = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
"""A KeyRef URI as far as its shape goes; whether the key exists is for its store."""

PREFERRED_REGIONS = {
    "gce": "us-central1",
    "azure": "northeurope",
    "aws": "eu-west-1",
    "oci": "eu-frankfurt-1",
}
"""Where the defaults start: regions that offer the most."""
PREFERRED_VCPUS = 4
PREFERRED_MEMORY_MIB = 16 * 1024
PREFERRED_ON_HOSTS = 2, 4 * 1024
"""vCPUs and MiB on a libvirt host, whose memory is what the person has."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """What would be launched and what stands against it."""

    request: LaunchRequest
    """As asked for, with derived settings filled in; not launchable while there are problems."""
    forced: tuple[ForcedSetting, ...]
    """Derived settings that differ from what was asked for."""
    problems: tuple[InvalidInput, ...]
    """Everything that is wrong, in the order of the wizard's pages; all of it, not only the first."""
    notes: tuple[str, ...]
    """Sentences that a person should read before launching."""

    @property
    def launchable(self) -> bool:
        return not self.problems

    def problem(self, *fields: str) -> str:
        """The first problem of one of `fields`, or ""."""
        return next((str(problem) for problem in self.problems if problem.field in fields), "")


def plan_launch(
    catalog: Catalog,
    request: LaunchRequest,
    provider_technologies: Collection[Technology],
    taken_names: Container[str],
) -> LaunchPlan:
    """Check `request` against the catalogue, the provider's technologies and the names that it already uses.

    Never raises for what is in the request: every complaint is a problem with its field.
    """
    problems: list[InvalidInput] = []
    forced: list[ForcedSetting] = []
    try:
        check_name(request.name)
        if request.name in taken_names:
            suggestion = free_name(request.name, taken_names)
            problems.append(NameTaken("name", f"An instance named {request.name} exists already; {suggestion} is free"))
    except InvalidInput as error:
        problems.append(error)

    if not request.zone:
        zone = _default_zone(catalog, request)
        if zone:
            request = replace(request, zone=zone)
            forced.append(ForcedSetting("zone", "", zone, f"The first zone of {request.region} that offers it"))
    try:
        request, derived = derive_settings(catalog, request)
        forced.extend(derived)
    except NotFound:
        log.debug("no settings derived: %s is not in the catalogue", request.machine_type)

    problems.extend(request_problems(catalog, request))
    if request.confidential and request.technology not in provider_technologies:
        problems.append(
            InvalidInput(
                "technology", f"The provider {request.provider} cannot make VMs with {request.technology.title}"
            )
        )
    # A libvirt host also makes plain disks; elsewhere a disk that the console makes is always encrypted.
    plain_disk = request.cloud == LIBVIRT and not request.disk_key
    if not plain_disk and not KEY_REF.fullmatch(request.disk_key):
        problems.append(
            InvalidInput("disk_key", "Name the key as SCHEME:KEY, for a key on this computer local:default")
        )
    if request.seed is not None:
        try:
            check_seed(request.seed)
        except InvalidInput as error:
            problems.append(InvalidInput("seed", error.message))
    try:
        check_labels(request.labels)
    except InvalidInput as error:
        problems.append(error)
    return LaunchPlan(
        request, tuple(forced), _without_repeats(problems), _notes(catalog, request, provider_technologies)
    )


def default_request(
    catalog: Catalog,
    provider: str = EMBEDDED,
    cloud: str = GCE,
    taken_names: Container[str] = (),
    technology: Technology = Technology.NONE,
) -> LaunchRequest:
    """What the wizard starts with: something small, current and near the middle of every road.

    It fits SEV where the cloud has it, so that ticking the checkbox changes as little as possible.
    Raises InvalidInput("cloud") when the catalogue has nothing for `cloud`.
    """
    try:
        regions = catalog.regions(cloud)
        machine_types = catalog.machine_types(cloud)
        images = catalog.images(cloud)
    except NotFound as error:
        raise InvalidInput("cloud", str(error)) from None
    if not (regions and machine_types and images):
        raise InvalidInput("cloud", f"The catalogue has no machines for the cloud {cloud!r}; choose another")

    def region_rank(region: Region) -> tuple[bool, ...]:
        return (not region.zones_by_technology, region.name != PREFERRED_REGIONS.get(cloud), not region.launch_set)

    vcpus, memory_mib = PREFERRED_ON_HOSTS if cloud == LIBVIRT else (PREFERRED_VCPUS, PREFERRED_MEMORY_MIB)

    def machine_rank(entry: MachineType) -> tuple[bool | int, ...]:
        return (
            not entry.technologies,
            entry.vcpus != vcpus,
            abs(entry.memory_mib - memory_mib),
            abs(entry.vcpus - vcpus),
        )

    region = min(regions, key=region_rank)
    available = [entry for entry in machine_types if not machine_type_region_unfit(entry, region)]
    machine_type = min(available or machine_types, key=machine_rank)
    wanted = _first_technology(machine_type)
    image = _default_image(images, wanted)
    request = LaunchRequest(
        name=free_name("confidential-1", taken_names),
        provider=provider,
        cloud=cloud,
        region=region.name,
        zone=region.technology_zones(wanted)[0] if region.technology_zones(wanted) else region.zones[0],
        machine_type=machine_type.name,
        image=image.name,
        technology=technology,
        host_maintenance=HostMaintenance.TERMINATE,
        nic_type="VIRTIO_NET" if cloud == GCE else "",
        disk_key=default_disk_key(cloud),
    )
    return settle(catalog, request)


def default_disk_key(cloud: str) -> str:
    """What wraps a disk's key unless somebody says otherwise; "" for a plain disk.

    On libvirt hosts a disk is encrypted on request: encrypted ones have no snapshots, clones and migration there.
    """
    return "" if cloud == LIBVIRT else "local:default"


def free_name(wanted: str, taken_names: Container[str]) -> str:
    """`wanted` if it is free, else the same with the next free number: `web`, `web-2`; `web-7`, `web-8`.

    Always at most 63 characters long, as a name must be.
    """
    if wanted not in taken_names:
        return wanted
    stem, dash, digits = wanted.rpartition("-")
    if dash and digits.isascii() and digits.isdigit() and len(digits) < 9:
        number = int(digits) + 1
    else:
        stem, number = wanted, 2
    while True:
        suffix = f"-{number}"
        name = stem[: 63 - len(suffix)].rstrip("-") + suffix
        if name not in taken_names:
            return name
        number += 1


def _first_technology(machine_type: MachineType) -> Technology:
    for technology in Technology:
        if technology in machine_type.technologies:
            return technology
    return Technology.NONE


def _default_image(images: Collection[Image], technology: Technology) -> Image:
    """The newest Ubuntu that fits, else the Linux image that is supported longest."""

    def rank(image: Image) -> tuple[bool, bool, bool, str]:
        return (
            technology is Technology.NONE or technology in image.technologies,
            image.os == "linux",
            "ubuntu" in (image.family + image.name).lower(),
            image.end_of_support,
        )

    return max(images, key=rank)


def _default_zone(catalog: Catalog, request: LaunchRequest) -> str:
    try:
        region = catalog.region(request.cloud, request.region)
    except NotFound:
        return ""
    return default_zone(region, judged_as(catalog, request.provider, request.cloud, request.technology))


def _without_repeats(problems: list[InvalidInput]) -> tuple[InvalidInput, ...]:
    seen: set[tuple[str, str]] = set()
    kept = []
    for problem in problems:
        if (problem.field, str(problem)) not in seen:
            seen.add((problem.field, str(problem)))
            kept.append(problem)
    return tuple(kept)


def _notes(catalog: Catalog, request: LaunchRequest, possible: Collection[Technology]) -> tuple[str, ...]:
    notes: list[str] = []
    try:
        image = None if is_library_image(request.image) else catalog.image(request.cloud, request.image)
        machine_type = catalog.machine_type(request.cloud, request.machine_type)
    except NotFound:
        return ()
    if request.provider == EMBEDDED:
        notes.append(
            "Runs in the embedded engine: QEMU boots this kernel, its memory behind the emulated memory controller"
            if image is None
            else f"Runs in the embedded engine: the built-in records guest runs in place of {image.title}, "
            f"on this computer in place of {request.region}"
        )
        notes.append(
            "The engine is an emulation: it shows the mechanism, and hides nothing from the owner of this computer"
        )
        if image is None:
            notes.append(
                "A kernel of the library gets no vTPM here, and 2 GiB of the machine's memory at most: it is entered "
                "directly, without a firmware"
            )
        elif request.vtpm:
            notes.append(
                "The vTPM is emulated: the engine measures the guest's image and settings in place of a firmware"
            )
        if request.secure_boot:
            notes.append("Secure Boot is measured as on; the built-in guest has no firmware that would enforce it")
        if request.technology not in (Technology.NONE, *catalog.offered_technologies(request.cloud)):
            notes.append(
                f"{catalog.cloud_title(request.cloud)} does not offer {request.technology.title}: "
                "this launch can be rehearsed here and not repeated there"
            )
    if not request.confidential:
        notes.append("A plain VM: whoever controls the host can read and change all of its memory")
        first = _first_technology(machine_type)
        unfit_all = not machine_type.technologies or (image is not None and image_unfit(image, first))
        if first in possible and not unfit_all and not machine_type_unfit(machine_type, first):
            notes.append("The same machine and image can be made confidential with one tick")
    elif request.technology is Technology.SEV:
        notes.append("Plain SEV keeps memory secret but does not protect its integrity; SEV-SNP does")
    if request.confidential and not request.attest:
        notes.append("Keys are released without attestation: nobody looks at what was launched before it gets them")
    if request.confidential and request.host_maintenance is HostMaintenance.TERMINATE and request.cloud == GCE:
        notes.append("When its host is serviced the VM is stopped and started again: it cannot migrate live")
    if request.records is None and request.provider == EMBEDDED and image is not None:
        notes.append("No records are given: the guest starts with nothing to work on")
    return tuple(notes)
