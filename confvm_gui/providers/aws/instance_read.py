"""An instance as EC2 describes it, as the console's.

Source: Amazon EC2 API Reference, data type Instance. Memory encryption that every instance of a machine has (Graviton,
newer Intel and AMD) is the host's own and no technology of the guest: it is not told as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.providers.cloud.table import LABEL_IMAGE, LABEL_OPERATION, OWN_LABELS, Seen, foreign_id, own_id

CLOUD: Final = "aws"
TAG_NAME: Final = "Name"
GONE: Final = "terminated"
"""Such instances are described for an hour more."""
_STATES: Final[Mapping[str, InstanceState]] = {
    "pending": InstanceState.STARTING,
    "running": InstanceState.RUNNING,
    "stopping": InstanceState.STOPPING,
    "stopped": InstanceState.STOPPED,
    "shutting-down": InstanceState.DELETING,
    "terminated": InstanceState.DELETING,
}


def read_instance(found: Mapping[str, Any], provider: str, catalog: Catalog, region: str) -> Seen:
    """`found` is an `Instance` as botocore gives it."""
    tags = read_tags(found.get("Tags"))
    machine_type = str(found.get("InstanceType", ""))
    status = str(found.get("State", {}).get("Name", ""))
    number = str(found.get("InstanceId", ""))
    technology = _technology(found)
    vcpus, memory_mib = _size(catalog, machine_type, found)
    launched = found.get("LaunchTime")
    return Seen(
        Instance(
            id=own_id(tags) or foreign_id(number),
            name=tags.get(TAG_NAME) or number,
            provider=provider,
            cloud=CLOUD,
            region=region,
            zone=str(found.get("Placement", {}).get("AvailabilityZone", "")),
            machine_type=machine_type,
            image=tags.get(LABEL_IMAGE) or str(found.get("ImageId", "")),
            technology=technology,
            state=_STATES.get(status, InstanceState.STOPPED),
            vcpus=vcpus,
            memory_mib=memory_mib,
            created_at=launched.timestamp() if isinstance(launched, datetime) else 0.0,
            state_reason=_reason(found, status),
            trust=Trust.NOT_APPLICABLE if technology is Technology.NONE else Trust.UNKNOWN,
            vtpm=bool(found.get("TpmSupport")),
            labels={key: value for key, value in tags.items() if key not in OWN_LABELS and key != TAG_NAME},
        ),
        number,
        status,
        tags.get(LABEL_OPERATION, ""),
    )


def read_tags(tags: object) -> dict[str, str]:
    """Of EC2's list of keys and values."""
    if not isinstance(tags, list):
        return {}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags if isinstance(tag, Mapping) and "Key" in tag}


def _technology(found: Mapping[str, Any]) -> Technology:
    if found.get("CpuOptions", {}).get("AmdSevSnp") == "enabled":
        return Technology.SEV_SNP
    if found.get("EnclaveOptions", {}).get("Enabled"):
        return Technology.NITRO
    return Technology.NONE


def _reason(found: Mapping[str, Any], status: str) -> str:
    if status not in _STATES:
        return f"Amazon calls its state {status[:40]}"
    said = str(found.get("StateReason", {}).get("Message", "")) if status != "running" else ""
    return said[:300]


def _size(catalog: Catalog, name: str, found: Mapping[str, Any]) -> tuple[int, int]:
    """vCPUs and MiB; zeros where nobody tells."""
    try:
        entry = catalog.machine_type(CLOUD, name)
    except NotFound:
        options = found.get("CpuOptions", {})
        return int(options.get("CoreCount", 0)) * int(options.get("ThreadsPerCore", 1)), 0
    return entry.vcpus, entry.memory_mib
