"""OVMF pre-flight: which technologies a firmware image can serve, and why not the others.

What is looked at is what OVMF's reset vector and QEMU agree on (`sev.ovmf_image`); a build for TDX is told apart from
one for SEV by its metadata. Pure: an image in, findings out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

from confvm_gui.sev.ovmf_image import (
    FOOTER_GUID,
    SEV_ES_RESET_BLOCK_GUID,
    SEV_HASH_TABLE_GUID,
    SEV_METADATA_GUID,
    SEV_SECRET_GUID,
    SVSM_INFO_GUID,
    TDX_METADATA_GUID,
    Area,
    OvmfImage,
    SectionType,
)

_PAGE: Final = 4096
_HASH_TABLE_SIZE: Final = 176
_NAMES: Final = {
    FOOTER_GUID: "footer",
    SEV_ES_RESET_BLOCK_GUID: "SEV-ES reset block",
    SEV_HASH_TABLE_GUID: "kernel hashes table",
    SEV_SECRET_GUID: "launch secret area",
    SEV_METADATA_GUID: "SEV metadata",
    TDX_METADATA_GUID: "TDX metadata",
    SVSM_INFO_GUID: "SVSM info",
}
_WIDE_SNP_SECTIONS: Final = (SectionType.SNP_SECRETS, SectionType.CPUID)


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that a guest with this firmware can or cannot have."""

    key: str
    """`sev`, `sev-es`, `sev-snp`, `launch-secret`, `kernel-hashes`, `snp-kernel-hashes`."""
    title: str
    served: bool
    reason: str
    """What in the image lets it, or what the image lacks, one sentence."""


@dataclass(frozen=True, slots=True)
class Region:
    """A range of guest memory that the image claims."""

    name: str
    gpa: int
    size: int

    @property
    def end(self) -> int:
        """Address behind it."""
        return self.gpa + self.size


@dataclass(frozen=True, slots=True)
class FirmwarePreflight:
    """All that the image says of itself, and what follows."""

    image: OvmfImage
    entries: tuple[tuple[str, str, int], ...]
    """GUID, name ("" if unknown) and size in bytes of each entry of the GUID table."""
    regions: tuple[Region, ...]
    """Sections of the SEV metadata, in the order in which they are measured."""
    capabilities: tuple[Capability, ...]
    problems: tuple[str, ...]
    """What is wrong with the image, one sentence each: overlaps, areas outside of the sections, odd sizes."""

    def serves(self, key: str) -> bool:
        """Whether the capability `key` is served; False for one that is unknown."""
        return any(entry.served for entry in self.capabilities if entry.key == key)


def examine_firmware(image: OvmfImage) -> FirmwarePreflight:
    """Look at `image`; nothing is raised, all problems are collected."""
    entries = tuple((str(guid), _NAMES.get(guid, ""), len(data)) for guid, data in image.table.items())
    regions = tuple(Region(section.type.name, section.gpa, section.size) for section in image.sections)
    return FirmwarePreflight(image, entries, regions, _capabilities(image), _problems(image, regions))


def _capabilities(image: OvmfImage) -> tuple[Capability, ...]:
    es = _es(image)
    hashes = image.hash_table_area
    table = Capability(
        "kernel-hashes",
        "Measured kernel, initrd and command line (SEV, SEV-ES)",
        hashes is not None,
        f"The kernel hashes table goes to {hashes.gpa:#x}"
        if hashes is not None
        else _without(image, SEV_HASH_TABLE_GUID, "kernel hashes table; build edk2's OvmfPkg/AmdSev"),
    )
    return (_sev(image), es, _snp(image, es), _secret(image), table, _snp_hashes(image))


def _sev(image: OvmfImage) -> Capability:
    title = "AMD SEV"
    if TDX_METADATA_GUID in image.table and SEV_ES_RESET_BLOCK_GUID not in image.table:
        return Capability("sev", title, False, "The image is built for TDX: it has TDX metadata and nothing of SEV")
    if not image.table:
        return Capability(
            "sev", title, False, "The image has no OVMF footer: it is a variable store, or no OVMF from 2020 or later"
        )
    return Capability(
        "sev", title, True, "Plain SEV asks for nothing in the image; any OVMF for x86-64 knows the C-bit"
    )


def _es(image: OvmfImage) -> Capability:
    eip = image.reset_eip
    if eip is None:
        reason = _without(image, SEV_ES_RESET_BLOCK_GUID, "SEV-ES reset block, so further vCPUs could not start")
        return Capability("sev-es", "AMD SEV-ES", False, reason)
    if not eip:
        return Capability(
            "sev-es", "AMD SEV-ES", False, "The SEV-ES reset block is zero: the build has no SEV-ES for further vCPUs"
        )
    return Capability("sev-es", "AMD SEV-ES", True, f"Further vCPUs start at {eip:#x} (SEV-ES reset block)")


def _snp(image: OvmfImage, es: Capability) -> Capability:
    title = "AMD SEV-SNP"
    lacking = [kind.name for kind in _WIDE_SNP_SECTIONS if not image.has_section(kind)]
    if not es.served:
        return Capability("sev-snp", title, False, f"SEV-SNP starts vCPUs as SEV-ES does. {es.reason}")
    if SEV_METADATA_GUID not in image.table:
        reason = _without(image, SEV_METADATA_GUID, "SEV metadata; take edk2-stable202205 or later")
        return Capability("sev-snp", title, False, reason)
    if lacking:
        return Capability("sev-snp", title, False, f"The SEV metadata have no section {' and '.join(lacking)}")
    if len(image.data) % _PAGE:
        return Capability("sev-snp", title, False, "The image is not of whole pages, which SEV-SNP measures")
    return Capability("sev-snp", title, True, "The SEV metadata name the pages for secrets and CPUID")


def _secret(image: OvmfImage) -> Capability:
    title = "Launch secret by LAUNCH_SECRET (SEV, SEV-ES)"
    area = image.secret_area
    if area is None:
        reason = _without(image, SEV_SECRET_GUID, "launch secret area; a secret can be had by a report only")
        return Capability("launch-secret", title, False, reason)
    return Capability("launch-secret", title, True, f"{area.size} bytes at {area.gpa:#x}")


def _snp_hashes(image: OvmfImage) -> Capability:
    title = "Measured kernel, initrd and command line (SEV-SNP)"
    key = "snp-kernel-hashes"
    if not image.has_section(SectionType.SNP_KERNEL_HASHES):
        reason = "The SEV metadata have no section SNP_KERNEL_HASHES; build edk2's OvmfPkg/AmdSev"
        return Capability(key, title, False, reason)
    if image.hash_table_area is None:
        return Capability(key, title, False, "There is a section for the hashes, but the image names no table in it")
    return Capability(key, title, True, "The hashes lie in a page that is measured (SNP_KERNEL_HASHES)")


def _without(image: OvmfImage, guid: object, what: str) -> str:
    """Why an area is not there: no entry, or an entry of zeros, which edk2 writes where a build does without."""
    if guid in image.table:
        return f"The entry is zero: this build has no {what}"
    return f"The GUID table has no {what}"


def _problems(image: OvmfImage, regions: tuple[Region, ...]) -> tuple[str, ...]:
    found = [
        f"Sections {first.name} ({first.gpa:#x} to {first.end:#x}) and {second.name} ({second.gpa:#x} to "
        f"{second.end:#x}) overlap: the launch fails when the second is added"
        for first, second in combinations(regions, 2)
        if first.gpa < second.end and second.gpa < first.end
    ]
    found += [f"Section {region.name} at {region.gpa:#x} is empty" for region in regions if not region.size]
    found += [
        f"Section {region.name} reaches into the image itself, which starts at {image.gpa:#x}"
        for region in regions
        if region.size and region.end > image.gpa
    ]
    for kind in (*_WIDE_SNP_SECTIONS, SectionType.SNP_KERNEL_HASHES):
        count = sum(section.type is kind for section in image.sections)
        if count > 1:
            found.append(f"There are {count} sections {kind.name}; there can be one")
    hashes = image.hash_table_area
    if hashes is not None:
        found += _area_problems("kernel hashes table", hashes, _HASH_TABLE_SIZE, image, SectionType.SNP_KERNEL_HASHES)
        if hashes.gpa % _PAGE + _HASH_TABLE_SIZE > _PAGE:
            found.append(f"The kernel hashes table at {hashes.gpa:#x} reaches over the end of its page")
    if image.secret_area is not None and hashes is not None and _overlap(image.secret_area, hashes):
        found.append("Launch secret area and kernel hashes table overlap: a secret would overwrite the hashes")
    return tuple(found)


def _area_problems(name: str, area: Area, least: int, image: OvmfImage, kind: SectionType) -> list[str]:
    found = []
    if area.size < least:
        found.append(f"The {name} has {area.size} bytes, but {least} are put there")
    inside = [section for section in image.sections if section.type is kind]
    if inside and not any(
        section.gpa <= area.gpa and area.gpa + area.size <= section.gpa + section.size for section in inside
    ):
        found.append(f"The {name} at {area.gpa:#x} does not lie in section {kind.name}, so SEV-SNP does not measure it")
    return found


def _overlap(first: Area, second: Area) -> bool:
    return first.gpa < second.gpa + second.size and second.gpa < first.gpa + first.size
