"""What fits what, with the reason in one plain sentence where it does not.

Rules and figures: Google Cloud, "Confidential VM, supported configurations" and "Create a Confidential VM instance"
(series, platforms, host maintenance, NIC); the other clouds' documents as named in `resources/catalog`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from confvm_gui.catalog.loader import CLOUDS, Catalog
from confvm_gui.domain.catalogue import Image, MachineType, Region, Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.images import LIBRARY_PREFIX
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest

UPSTREAM_KERNEL = {
    Technology.SEV: "4.15",
    Technology.SEV_ES: "5.10",
    Technology.SEV_SNP: "5.19",
    Technology.TDX: "5.19",
    Technology.SGX: "5.11",
}
"""The Linux release that first ran as a guest of (for SGX: had the driver for) each technology. A distribution's older
kernel can have it backported, so this only explains; what is offered is in `Image.technologies`."""

CAPABILITY_FLAG = {
    Technology.SEV: "SEV_CAPABLE",
    Technology.SEV_SNP: "SEV_SNP_CAPABLE",
    Technology.TDX: "TDX_CAPABLE",
}
"""Compute Engine's guestOsFeatures that an image must have."""

LIVE_MIGRATION_FLAG = "SEV_LIVE_MIGRATABLE_V2"
"""Compute Engine's guestOsFeature without which an SEV guest cannot migrate."""

NIC_TYPES = ("GVNIC", "VIRTIO_NET", "IDPF")
"""Compute Engine's `nicType`."""

_GVNIC_SERIES = frozenset({"a3", "c3", "c3d", "c4d"})
"""Machine series of the third generation and later have no VIRTIO_NET."""


LIBVIRT: Final = "libvirt"
"""The cloud of libvirt hosts, and what names of their providers begin with."""
EMBEDDED: Final = "embedded"
"""Name of the provider that rehearses launches of any cloud on this computer."""


def own_cloud(provider: str) -> str:
    """The one cloud in which `provider` makes instances: its name begins with it. "" for one that rehearses others."""
    kind = provider.partition("-")[0]
    return kind if kind in CLOUDS else ""


def judged_as(catalog: Catalog, provider: str, cloud: str, technology: Technology) -> Technology:
    """The technology whose rules of `cloud` hold for an instance with `technology` on `provider`.

    The embedded engine runs SEV-ES also where a cloud offers SEV alone. SEV-ES asks of machine, zone and image what
    SEV asks of them, so such a rehearsal is judged as SEV.
    """
    offered = catalog.offered_technologies(cloud)
    if (
        provider == EMBEDDED
        and technology is Technology.SEV_ES
        and technology not in offered
        and Technology.SEV in offered
    ):
        return Technology.SEV
    return technology


def is_library_image(name: str) -> bool:
    """Whether `LaunchRequest.image` names an image of this console's library."""
    return name.startswith(LIBRARY_PREFIX)


def library_image_unfit(provider: str) -> str:
    """Why images of the library cannot be booted by `provider`, or ""."""
    if provider == EMBEDDED or provider.startswith(LIBVIRT):
        return ""
    return "Images of this console's library boot on this computer and on libvirt hosts; choose one of the cloud's"


def image_unfit(image: Image, technology: Technology) -> str:
    """Why `image` cannot boot under `technology`, or "". Any image fits a plain VM."""
    if technology is Technology.NONE or technology in image.technologies:
        return ""
    needed = UPSTREAM_KERNEL.get(technology, "")
    if image.os == "linux" and image.kernel and needed and _version(image.kernel) < _version(needed):
        return f"{image.title} boots kernel {image.kernel}; {technology.title} guests need {needed} or later"
    flag = CAPABILITY_FLAG.get(technology, "")
    if image.cloud == "gce" and flag and flag not in image.features:
        return f"{image.title} lacks the capability flag {flag}, which {technology.title} needs"
    if image.cloud == "azure" and technology is not Technology.SGX and "ConfidentialVM" not in image.features:
        return f"{image.title} is not an image for confidential VMs; choose one that is marked so"
    return f"{image.title} is not listed for {technology.title}"


def machine_type_unfit(machine_type: MachineType, technology: Technology) -> str:
    """Why `machine_type` does not offer `technology`, or ""."""
    if technology is Technology.NONE or technology in machine_type.technologies:
        return ""
    if not machine_type.technologies:
        return f"{machine_type.name} offers no confidential technology"
    return f"{machine_type.name} offers {_titles(machine_type.technologies)}, not {technology.title}"


def machine_type_region_unfit(machine_type: MachineType, region: Region) -> str:
    """Why `machine_type` cannot be had in `region`, or "" (also where the catalogue does not know)."""
    if not machine_type.regions or region.name in machine_type.regions:
        return ""
    return f"{machine_type.series.upper()} machines are not listed for {_place(region)}"


def region_unfit(region: Region, technology: Technology) -> str:
    """Why `technology` cannot be had in `region`, or ""."""
    if region.technology_zones(technology):
        return ""
    return f"No zone of {_place(region)} is listed with {technology.title}"


def zone_unfit(region: Region, zone: str, technology: Technology) -> str:
    """Why `technology` cannot be had in `zone` of `region`, or ""."""
    if zone not in region.zones:
        if not zone:
            return f"Choose a zone of {region.name}: {', '.join(region.technology_zones(technology) or region.zones)}"
        return f"{zone[:128]!r} is not a zone of {region.name}, which has {', '.join(region.zones)}"
    offering = region.technology_zones(technology)
    if zone in offering:
        return ""
    if not offering:
        return region_unfit(region, technology)
    return f"{zone} does not offer {technology.title}; {', '.join(offering)} {'does' if len(offering) == 1 else 'do'}"


def default_zone(region: Region, technology: Technology) -> str:
    """The first zone of `region` that offers `technology`, or "" if none does."""
    return next(iter(region.technology_zones(technology)), "")


def forced_platform(machine_type: MachineType, technology: Technology) -> str:
    """The `minCpuPlatform` that `technology` forces on `machine_type`, or ""."""
    return dict(machine_type.platform_by_technology).get(technology, "")


def forced_nic_type(machine_type: MachineType, technology: Technology) -> str:
    """The `nicType` that must be, or "" where there is a choice (and on clouds that know no such setting)."""
    if machine_type.cloud != "gce":
        return ""
    return "GVNIC" if technology is not Technology.NONE or machine_type.series in _GVNIC_SERIES else ""


def host_maintenance(machine_type: MachineType, technology: Technology) -> HostMaintenance:
    """What the VM does when its host is serviced: it migrates where it can."""
    return HostMaintenance.MIGRATE if technology in machine_type.live_migration else HostMaintenance.TERMINATE


def request_problems(catalog: Catalog, request: LaunchRequest) -> tuple[InvalidInput, ...]:
    """Everything in `request` that the catalogue does not have or that does not fit, one error for each.

    Fields: `cloud`, `technology`, `region`, `zone`, `machine_type`, `image`, `host_maintenance`, `nic_type`,
    `min_cpu_platform`. An empty `min_cpu_platform` means: whatever the technology forces.
    """
    if request.cloud not in catalog.clouds:
        known = ", ".join(catalog.clouds)
        return (InvalidInput("cloud", f"The catalogue has no cloud {request.cloud[:128]!r}; it has {known}"),)
    own = own_cloud(request.provider)
    if own and own != request.cloud:
        title = catalog.cloud_title(request.cloud)
        return (InvalidInput("cloud", f"{request.provider} makes instances of {CLOUDS[own]}, not of {title}"),)
    problems: list[InvalidInput] = []

    def note(field: str, *reasons: str) -> None:
        """The first reason that is not empty: one message at one field."""
        reason = next(filter(None, reasons), "")
        if reason:
            problems.append(InvalidInput(field, reason))

    technology = judged_as(catalog, request.provider, request.cloud, request.technology)
    offered = catalog.offered_technologies(request.cloud)
    if technology is not Technology.NONE and technology not in offered:
        title = catalog.cloud_title(request.cloud)
        note("technology", f"{title} does not offer {technology.title}; it offers {_titles(offered)}")
        # Said once: every zone, machine type and image would only repeat it.
        technology = Technology.NONE

    region = machine_type = image = None
    try:
        region = catalog.region(request.cloud, request.region)
    except NotFound as error:
        note("region", error.message)
    if region is not None:
        reason = region_unfit(region, technology)
        note("region", reason)
        note("zone", "" if reason and request.zone in region.zones else zone_unfit(region, request.zone, technology))
    try:
        machine_type = catalog.machine_type(request.cloud, request.machine_type)
    except NotFound as error:
        note("machine_type", error.message)
    if is_library_image(request.image):  # nothing is known of it but who can boot it
        note("image", library_image_unfit(request.provider))
        if request.provider == EMBEDDED and request.technology is Technology.SEV_SNP:
            note(
                "technology",
                "A kernel of the library has no agent that asks for SEV-SNP's report; choose AMD SEV or AMD SEV-ES",
            )
        if request.provider == EMBEDDED and request.secure_boot:
            note("secure_boot", "A kernel of the library is entered without a firmware; launch it without Secure Boot")
    else:
        try:
            image = catalog.image(request.cloud, request.image)
        except NotFound as error:
            note("image", error.message)
    if machine_type is not None:
        elsewhere = machine_type_region_unfit(machine_type, region) if region is not None else ""
        note("machine_type", machine_type_unfit(machine_type, technology), elsewhere)
    if image is not None:
        note("image", image_unfit(image, technology))
    if machine_type is not None and not machine_type_unfit(machine_type, technology):
        note("host_maintenance", _maintenance_unfit(machine_type, image, technology, request.host_maintenance))
        note("nic_type", _nic_unfit(machine_type, technology, request.nic_type))
        note("min_cpu_platform", _platform_unfit(machine_type, technology, request.min_cpu_platform))
    return tuple(problems)


def _maintenance_unfit(
    machine_type: MachineType, image: Image | None, technology: Technology, wanted: HostMaintenance
) -> str:
    if wanted is HostMaintenance.TERMINATE:
        return ""
    if host_maintenance(machine_type, technology) is HostMaintenance.TERMINATE:
        kind = "Plain VMs" if technology is Technology.NONE else f"{technology.title} VMs"
        return f"{kind} on {machine_type.series.upper()} machines do not migrate; choose TERMINATE"
    if (
        machine_type.cloud == "gce"
        and technology is not Technology.NONE
        and image is not None
        and LIVE_MIGRATION_FLAG not in image.features
    ):
        return f"{image.title} lacks the capability flag {LIVE_MIGRATION_FLAG}; choose TERMINATE"
    return ""


def _nic_unfit(machine_type: MachineType, technology: Technology, wanted: str) -> str:
    if machine_type.cloud != "gce":
        return ""  # a setting of Compute Engine
    if wanted not in NIC_TYPES:
        return f"{wanted[:40]!r} is not a NIC type; choose one of {', '.join(NIC_TYPES)}"
    forced = forced_nic_type(machine_type, technology)
    if not forced or wanted == forced:
        return ""
    if technology is Technology.NONE:
        return f"{machine_type.series.upper()} machines need the NIC type {forced}, not {wanted}"
    return f"A confidential VM needs the NIC type {forced}, not {wanted}"


def _platform_unfit(machine_type: MachineType, technology: Technology, wanted: str) -> str:
    if not wanted:
        return ""
    forced = forced_platform(machine_type, technology)
    if forced and wanted != forced:
        return f"{technology.title} on {machine_type.series.upper()} machines needs the platform {forced}"
    if not forced and technology is not Technology.NONE:
        return f"{technology.title} takes no minimum CPU platform; leave it empty"
    if wanted not in machine_type.cpu_platforms:
        known = ", ".join(machine_type.cpu_platforms)
        return f"{machine_type.series.upper()} machines run on {known}, not on {wanted[:60]!r}"
    return ""


def _titles(technologies: Iterable[Technology]) -> str:
    chosen = set(technologies)
    titles = [technology.title for technology in Technology if technology in chosen]
    return " and ".join(filter(None, (", ".join(titles[:-1]), titles[-1]))) if titles else "none"


def _place(region: Region) -> str:
    return f"{region.name} ({region.title})"


def _version(kernel: str) -> tuple[int, ...]:
    return tuple(int(part) for part in kernel.split("."))
