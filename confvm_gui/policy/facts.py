"""What a rule can look at: one flat object `vm`, the same names for what is asked for and for what runs.

FACTS is the table of them: rules are checked against its types when they are read. A fact that nobody knows has the
value that no floor accepts: "" for a text, false, or -1 for a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance, LaunchRequest, Trust
from confvm_gui.policy.countries import country_of

MOST_LABELS: Final = 64
LONGEST_TEXT: Final = 256
"""Characters of a fact. What other programs made can be called anything; names of this console's own are shorter."""

LOCAL_KEYS: Final = "local"
"""Scheme of keys that this computer's keyring keeps: no key management of the customer's own."""

FactValue = str | int | bool | tuple[tuple[str, str], ...]
"""Labels stand as pairs in order: facts can be compared and hashed."""


class FactType(Enum):
    TEXT = "text"
    FLAG = "true or false"
    NUMBER = "whole number"
    TEXTS_BY_KEY = "texts by key"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table."""

    type: FactType
    meaning: str


_TEXT, _FLAG, _NUMBER = FactType.TEXT, FactType.FLAG, FactType.NUMBER

FACTS: Final[Mapping[str, Fact]] = MappingProxyType(
    {
        "vm.name": Fact(_TEXT, "Its name"),
        "vm.provider": Fact(_TEXT, "Who runs it: embedded, libvirt-…"),
        "vm.cloud": Fact(_TEXT, "Whose catalogue its names are from: gce, azure, aws, oci, vsphere, libvirt"),
        "vm.region": Fact(_TEXT, "Region, as the cloud names it"),
        "vm.country": Fact(_TEXT, "Country of the region, ISO 3166-1 alpha-2; empty where nobody can tell"),
        "vm.zone": Fact(_TEXT, "Zone, as the cloud names it"),
        "vm.machine_type": Fact(_TEXT, "Machine type"),
        "vm.series": Fact(_TEXT, "Series of the machine type: n2d, DCasv5 …; empty where the catalogue has it not"),
        "vm.cpu_platform": Fact(_TEXT, "The CPU platform that it needs at least, or that its technology forces"),
        "vm.vcpus": Fact(_NUMBER, "Virtual CPUs; -1 where the catalogue has the machine type not"),
        "vm.memory_mib": Fact(_NUMBER, "Memory in MiB; -1 where the catalogue has the machine type not"),
        "vm.image": Fact(_TEXT, "Image, or local:ID for one of this console's library"),
        "vm.image_os": Fact(_TEXT, "linux or windows; empty for an image that the catalogue has not"),
        "vm.image_project": Fact(_TEXT, "Who publishes the image; empty for an image that the catalogue has not"),
        "vm.image_supported": Fact(_FLAG, "In the catalogue, and its end of support is not known to have passed"),
        "vm.technology": Fact(_TEXT, "none, sev, sev-es, sev-snp, tdx, sgx or nitro"),
        "vm.technology_rank": Fact(
            _NUMBER,
            "0 none, 1 memory is encrypted or isolated (sev, nitro), 2 and registers (sev-es), "
            "3 and integrity (sev-snp, tdx, sgx)",
        ),
        "vm.confidential": Fact(_FLAG, "Whether its memory is protected while in use"),
        "vm.secure_boot": Fact(_FLAG, "Secure Boot is on"),
        "vm.vtpm": Fact(_FLAG, "It has a vTPM"),
        "vm.integrity_monitoring": Fact(_FLAG, "Its measured boot is compared with a baseline"),
        "vm.host_maintenance": Fact(_TEXT, "MIGRATE or TERMINATE; empty where it was not made by this console"),
        "vm.disk_key": Fact(_TEXT, "Reference of the key that wraps its disk's; empty where nobody knows"),
        "vm.key_store": Fact(_TEXT, "local, pkcs11, gcpkms, awskms or azurekv; empty where nobody knows"),
        "vm.customer_managed_key": Fact(_FLAG, "The disk key is kept in a key management service or HSM (CMEK)"),
        "vm.attest": Fact(_FLAG, "What is launched is verified before keys are released; or it was verified"),
        "vm.debug": Fact(_FLAG, "Its policy lets the host read its memory (evidence says so)"),
        "vm.labels": Fact(FactType.TEXTS_BY_KEY, "Labels: vm.labels.env; ask has(vm.labels.env) first"),
        "vm.state": Fact(_TEXT, "running, stopped …; requested for a request"),
        "vm.observed": Fact(_FLAG, "It exists; false for a request"),
        "vm.emulated": Fact(_FLAG, "It runs on the emulated platform; false for a request"),
        "vm.trust": Fact(_TEXT, "not applicable, unknown, measured, trusted or untrusted"),
        "vm.attestation_age_hours": Fact(_NUMBER, "Full hours since evidence was verified last; -1 for never"),
        "vm.tcb_boot_loader": Fact(_NUMBER, "Reported TCB, SVN of the boot loader; -1 where no evidence tells"),
        "vm.tcb_tee": Fact(_NUMBER, "Reported TCB, SVN of the secure processor's system; -1 where no evidence tells"),
        "vm.tcb_snp": Fact(_NUMBER, "Reported TCB, SVN of the SNP firmware; -1 where no evidence tells"),
        "vm.tcb_microcode": Fact(_NUMBER, "Reported TCB, microcode patch level; -1 where no evidence tells"),
        "vm.exposure": Fact(_TEXT, "Last exposure scan: clean, found, or never"),
    }
)
"""Every fact by name."""

TECHNOLOGY_RANK: Final[Mapping[Technology, int]] = MappingProxyType(
    {
        Technology.NONE: 0,
        Technology.SEV: 1,
        Technology.NITRO: 1,
        Technology.SEV_ES: 2,
        Technology.SEV_SNP: 3,
        Technology.TDX: 3,
        Technology.SGX: 3,
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an instance beside what its provider says."""

    request: LaunchRequest | None = None
    """What it was made of, where this console made it."""
    debug: bool = False
    tcb: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """`boot_loader`, `tee`, `snp`, `microcode` of the reported TCB."""
    exposure: str = "never"


NOTHING_KNOWN: Final = Known()

Facts = Mapping[str, FactValue]
"""A value for every name of FACTS."""


def request_facts(catalog: Catalog, request: LaunchRequest, today: str) -> Facts:
    """Facts of what is asked for. `today`: ISO date."""
    return {
        **_of_choices(
            catalog, request.cloud, request.machine_type, request.image, request.technology, request.min_cpu_platform,
            today,
        ),
        **_places(request.name, request.provider, request.cloud, request.region, request.zone),
        **_of_request(request),
        "vm.secure_boot": request.secure_boot,
        "vm.vtpm": request.vtpm,
        "vm.integrity_monitoring": request.integrity_monitoring,
        "vm.attest": request.attest,
        "vm.debug": False,
        "vm.labels": _labels(request.labels),
        "vm.state": "requested",
        "vm.observed": False,
        "vm.emulated": False,
        "vm.trust": (Trust.UNKNOWN if request.confidential else Trust.NOT_APPLICABLE).value,
        "vm.attestation_age_hours": -1,
        **_tcb({}),
        "vm.exposure": "never",
    }  # fmt: skip


def instance_facts(catalog: Catalog, instance: Instance, known: Known, now: float, today: str) -> Facts:
    """Facts of what runs. `now`: seconds since the epoch."""
    age = -1 if instance.attested_at is None else max(int((now - instance.attested_at) // 3600), 0)
    platform = known.request.min_cpu_platform if known.request is not None else ""
    return {
        **_of_choices(
            catalog, instance.cloud, instance.machine_type, instance.image, instance.technology, platform, today
        ),
        **_places(instance.name, instance.provider, instance.cloud, instance.region, instance.zone),
        **_of_request(known.request),
        "vm.vcpus": instance.vcpus,
        "vm.memory_mib": instance.memory_mib,
        "vm.secure_boot": instance.secure_boot,
        "vm.vtpm": instance.vtpm,
        "vm.integrity_monitoring": instance.integrity_monitoring,
        "vm.attest": instance.attested_at is not None or (known.request is not None and known.request.attest),
        "vm.debug": known.debug,
        "vm.labels": _labels(instance.labels),
        "vm.state": instance.state.value,
        "vm.observed": True,
        "vm.emulated": instance.emulated,
        "vm.trust": instance.trust.value,
        "vm.attestation_age_hours": age,
        **_tcb(known.tcb),
        "vm.exposure": known.exposure,
    }


def _places(name: str, provider: str, cloud: str, region: str, zone: str) -> dict[str, FactValue]:
    return {
        "vm.name": _text(name),
        "vm.provider": _text(provider),
        "vm.cloud": _text(cloud),
        "vm.region": _text(region),
        "vm.country": country_of(cloud, region),
        "vm.zone": _text(zone),
    }


@lru_cache(maxsize=4096)  # a fleet is made of few choices, and a name that is in no catalogue takes long to look up
def _of_choices(
    catalog: Catalog, cloud: str, machine_type: str, image: str, technology: Technology, platform: str, today: str
) -> Mapping[str, FactValue]:
    series, vcpus, memory = "", -1, -1
    try:
        machine = catalog.machine_type(cloud, machine_type)
        series, vcpus, memory = machine.series, machine.vcpus, machine.memory_mib
        platform = platform or dict(machine.platform_by_technology).get(technology, "")
    except NotFound:
        pass  # another program's machine, or a request that the catalogue's own check refuses
    system, project, supported = "", "", False
    try:
        entry = catalog.image(cloud, image)
        system, project = entry.os, entry.project
        supported = not entry.end_of_support or entry.end_of_support >= today
    except NotFound:
        pass
    return {
        "vm.machine_type": _text(machine_type),
        "vm.series": series,
        "vm.cpu_platform": _text(platform),
        "vm.vcpus": vcpus,
        "vm.memory_mib": memory,
        "vm.image": _text(image),
        "vm.image_os": system,
        "vm.image_project": project,
        "vm.image_supported": supported,
        "vm.technology": technology.value,
        "vm.technology_rank": TECHNOLOGY_RANK[technology],
        "vm.confidential": technology is not Technology.NONE,
    }


def _of_request(request: LaunchRequest | None) -> dict[str, FactValue]:
    key = "" if request is None else _text(request.disk_key)
    store = key.partition(":")[0]
    return {
        "vm.host_maintenance": "" if request is None else request.host_maintenance.value,
        "vm.disk_key": key,
        "vm.key_store": store,
        "vm.customer_managed_key": store not in ("", LOCAL_KEYS),
    }


def _tcb(tcb: Mapping[str, int]) -> dict[str, FactValue]:
    return {f"vm.tcb_{part}": tcb.get(part, -1) for part in ("boot_loader", "tee", "snp", "microcode")}


def _labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((_text(key), _text(value)) for key, value in labels.items()))[:MOST_LABELS]


def _text(text: str) -> str:
    # What is no valid Unicode (names that other programs gave) has no place in CEL's texts.
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
