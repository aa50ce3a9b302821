"""Nouns of the catalogue: where, on what and from which image an instance can be made.

Loaded and checked by `confvm_gui.catalog`; each entry names the public document it was taken from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from confvm_gui.domain.images import ImageDownload


class Technology(Enum):
    """How memory is protected while in use. Values are the spelling of the command line."""

    NONE = "none"
    SEV = "sev"
    SEV_ES = "sev-es"
    SEV_SNP = "sev-snp"
    TDX = "tdx"
    SGX = "sgx"
    NITRO = "nitro"

    @property
    def title(self) -> str:
        """As its maker writes it."""
        return {
            Technology.NONE: "none",
            Technology.SEV: "AMD SEV",
            Technology.SEV_ES: "AMD SEV-ES",
            Technology.SEV_SNP: "AMD SEV-SNP",
            Technology.TDX: "Intel TDX",
            Technology.SGX: "Intel SGX",
            Technology.NITRO: "AWS Nitro Enclaves",
        }[self]


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry's facts come from."""

    title: str
    url: str
    retrieved: str
    """ISO date, or "" for a document that was not opened anew for the catalogue."""


@dataclass(frozen=True, slots=True)
class TechnologyInfo:
    """A technology side by side with the others (for `catalog technologies` and Compare)."""

    technology: Technology
    title: str
    vendor: str
    memory_encryption: str
    """Algorithm and mode, in the maker's words."""
    integrity: str
    register_state: str
    attestation: str
    granularity: str
    """What is protected: a VM, an enclave in a process …"""
    limits: str
    """What it does not protect against, known weaknesses."""
    source: Source


@dataclass(frozen=True, slots=True)
class Region:
    """A provider's region."""

    cloud: str
    name: str
    title: str
    """City or area, as the provider names it."""
    latitude: float
    longitude: float
    zones: tuple[str, ...]
    """Full zone names, `europe-west1-b`; at least one."""
    zones_by_technology: tuple[tuple[Technology, tuple[str, ...]], ...]
    """Zones in which a technology is offered; a technology absent here is not offered in the region."""
    launch_set: bool
    """Part of Google's launch of July 2020."""
    source: Source
    placed: bool = True
    """Whether the coordinates mean anything. A vSphere datacenter is where its owner put it: it has none (0, 0)."""

    def technology_zones(self, technology: Technology) -> tuple[str, ...]:
        """Zones of the region that offer `technology`; all zones for NONE."""
        if technology is Technology.NONE:
            return self.zones
        return dict(self.zones_by_technology).get(technology, ())


@dataclass(frozen=True, slots=True)
class MachineType:
    """A size in which a cloud rents machines."""

    cloud: str
    name: str
    series: str
    vcpus: int
    memory_mib: int
    cpu_platforms: tuple[str, ...]
    """As the provider names them (`AMD Milan`), oldest first."""
    technologies: frozenset[Technology]
    """Confidential technologies offered on it, without NONE."""
    platform_by_technology: tuple[tuple[Technology, str], ...]
    """The `minCpuPlatform` that a technology forces; absent: none is forced."""
    live_migration: frozenset[Technology]
    """Technologies (NONE included) with which it migrates live instead of terminating."""
    source: Source
    regions: frozenset[str] = frozenset()
    """Names of the regions that offer it; empty where the source does not tell."""


@dataclass(frozen=True, slots=True)
class Image:
    """An operating system image."""

    cloud: str
    name: str
    """Unique within the cloud; what `--image` takes."""
    title: str
    family: str
    project: str
    """Project, publisher or owner that offers it."""
    os: str
    """`linux` or `windows`."""
    kernel: str
    """Kernel version that the image boots, or ""."""
    minimum_kernel: str
    """Oldest kernel with which its technology works in a guest, or ""."""
    features: frozenset[str]
    """Capability flags in the provider's spelling (Google: guestOsFeatures)."""
    technologies: frozenset[Technology]
    launch_set: bool
    end_of_support: str
    """ISO date or ""."""
    source: Source
    download: ImageDownload | None = None
    """Where its vendor publishes it for one's own hypervisor; None where it only exists in the cloud."""
