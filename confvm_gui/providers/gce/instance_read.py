"""An instance as Compute Engine describes it, as the console's.

What the console has made carries labels: the console's id of it, the operation that made it, the catalogue's name of
its image. Instances of others have an id that follows from the service's own, and the image that their licence names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.providers.cloud.table import LABEL_IMAGE, LABEL_OPERATION, OWN_LABELS, Seen, foreign_id, own_id

CLOUD: Final = "gce"

_STATES: Final[Mapping[str, tuple[InstanceState, str]]] = {
    "PENDING": (InstanceState.CREATING, "Waits for capacity"),
    "PROVISIONING": (InstanceState.CREATING, ""),
    "STAGING": (InstanceState.STARTING, ""),
    "RUNNING": (InstanceState.RUNNING, ""),
    "PENDING_STOP": (InstanceState.STOPPING, ""),
    "STOPPING": (InstanceState.STOPPING, ""),
    "DEPROVISIONING": (InstanceState.STOPPING, ""),
    "SUSPENDING": (InstanceState.STOPPING, "It is being suspended"),
    "SUSPENDED": (InstanceState.STOPPED, "Suspended: its memory is kept by Google, and starting it resumes it"),
    "STOPPED": (InstanceState.STOPPED, ""),
    "TERMINATED": (InstanceState.STOPPED, ""),
    "REPAIRING": (InstanceState.CRASHED, "Google repairs it after a failure of the instance or of its host"),
}
"""Compute Engine, "Instance life cycle": status → state and what is to be said of it."""
_TECHNOLOGIES: Final = {"SEV": Technology.SEV, "SEV_SNP": Technology.SEV_SNP, "TDX": Technology.TDX}
_CUSTOM: Final = re.compile(r"(?:[a-z0-9]+-)?custom-(\d+)-(\d+)(?:-ext)?")
"""vCPUs and MiB of a machine type of one's own measure."""


def read_instance(found: Any, provider: str, catalog: Catalog) -> Seen:
    """`found` is an `Instance` (protocol buffer)."""
    labels = {str(key): str(value) for key, value in found.labels.items()}
    zone = last_part(found.zone)
    machine_type = last_part(found.machine_type)
    status = str(found.status)
    state, reason = _STATES.get(status, (InstanceState.STOPPED, f"Google calls its state {status[:40]}"))
    technology = _technology(found)
    vcpus, memory_mib = _size(catalog, machine_type)
    shielded = found.shielded_instance_config
    number = str(found.id)
    return Seen(
        Instance(
            id=own_id(labels) or foreign_id(number),
            name=str(found.name),
            provider=provider,
            cloud=CLOUD,
            region=zone.rpartition("-")[0],
            zone=zone,
            machine_type=machine_type,
            image=labels.get(LABEL_IMAGE) or _licensed(found),
            technology=technology,
            state=state,
            vcpus=vcpus,
            memory_mib=memory_mib,
            created_at=_seconds(str(found.creation_timestamp)),
            state_reason=reason or str(found.status_message)[:300],
            trust=Trust.NOT_APPLICABLE if technology is Technology.NONE else Trust.UNKNOWN,
            secure_boot=bool(shielded.enable_secure_boot),
            vtpm=bool(shielded.enable_vtpm),
            integrity_monitoring=bool(shielded.enable_integrity_monitoring),
            labels={key: value for key, value in labels.items() if key not in OWN_LABELS},
        ),
        number,
        status,
        labels.get(LABEL_OPERATION, ""),
    )


def last_part(address: object) -> str:
    """`a` of `https://…/zones/a`."""
    return str(address).rpartition("/")[2]


def _technology(found: Any) -> Technology:
    config = found.confidential_instance_config
    named = _TECHNOLOGIES.get(str(config.confidential_instance_type))
    if named is not None:
        return named
    return Technology.SEV if config.enable_confidential_compute else Technology.NONE  # the older form


def _size(catalog: Catalog, name: str) -> tuple[int, int]:
    """vCPUs and MiB; zeros where nobody tells."""
    custom = _CUSTOM.fullmatch(name)
    if custom is not None:
        return int(custom[1]), int(custom[2])
    try:
        entry = catalog.machine_type(CLOUD, name)
    except NotFound:
        return 0, 0
    return entry.vcpus, entry.memory_mib


def _licensed(found: Any) -> str:
    """What the licence of the boot disk calls its system: `debian-12`."""
    for disk in found.disks:
        if disk.boot:
            return last_part(disk.licenses[0]) if disk.licenses else ""
    return ""


def _seconds(timestamp: str) -> float:
    """Since the epoch, of RFC 3339; 0 for what is none."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return 0.0
