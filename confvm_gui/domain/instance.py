"""An instance as a provider has it, and the request that makes one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import SeedSpec

NAME_PATTERN = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1035 label, as Compute Engine and Kubernetes require: 1 to 63 characters."""

LABEL_KEY = re.compile(r"[a-z][-_a-z0-9]{0,62}")
LABEL_VALUE = re.compile(r"[-_a-z0-9]{0,63}")
"""Compute Engine's rules for labels, which the other clouds' rules include."""


class InstanceState(Enum):
    """Where an instance is in its life."""

    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"
    """The guest faulted or its worker died; the reason is in `Instance.state_reason`."""
    DELETING = "deleting"

    @property
    def is_live(self) -> bool:
        """Whether there is RAM to look at."""
        return self in (InstanceState.RUNNING, InstanceState.PAUSED)

    @property
    def is_transitional(self) -> bool:
        return self in (InstanceState.CREATING, InstanceState.STARTING, InstanceState.STOPPING, InstanceState.DELETING)


class Trust(Enum):
    """What is known of an instance's evidence."""

    NOT_APPLICABLE = "not applicable"
    """Not confidential: there is nothing to attest."""
    UNKNOWN = "unknown"
    MEASURED = "measured"
    """The launch measurement matched the expected one; whoever made it is emulated or was not verified to a root."""
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


class HostMaintenance(Enum):
    """What happens to the VM when its host is serviced (Compute Engine's words)."""

    MIGRATE = "MIGRATE"
    TERMINATE = "TERMINATE"


def _no_labels() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RecordsSpec:
    """The administrator's records and what the guest does with them.

    `None` for a column means: chosen by `fleet.records` from the data.
    """

    path: Path
    index_column: str | None = None
    label_column: str | None = None


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """What the wizard and `confvm run|create` fill in; the same for every provider."""

    name: str
    provider: str
    """Who runs it: `embedded` …"""
    cloud: str
    """Whose catalogue `region`, `machine_type` and `image` are named in (`gce`): with the embedded provider, the
    cloud whose launch is rehearsed."""
    region: str
    zone: str
    machine_type: str
    image: str
    technology: Technology = Technology.SEV
    """NONE makes a plain VM."""
    secure_boot: bool = False
    vtpm: bool = True
    integrity_monitoring: bool = True
    host_maintenance: HostMaintenance = HostMaintenance.TERMINATE
    nic_type: str = "GVNIC"
    min_cpu_platform: str = ""
    records: RecordsSpec | None = None
    disk_key: str = "local:default"
    """KeyRef URI of the key that wraps the disk's DEK."""
    attest: bool = True
    """Verify what was launched before keys are released to it; otherwise they are released unseen."""
    labels: Mapping[str, str] = field(default_factory=_no_labels)
    seed: SeedSpec | None = None
    """What cloud-init is told at the first boot, where the provider gives the instance a seed."""

    @property
    def confidential(self) -> bool:
        return self.technology is not Technology.NONE


@dataclass(frozen=True, slots=True)
class Instance:
    """What a provider says of an instance at one moment."""

    id: str
    """Unique within the console, chosen by it (32 hex digits) or derived from the provider's own id."""
    name: str
    provider: str
    cloud: str
    region: str
    zone: str
    machine_type: str
    image: str
    technology: Technology
    state: InstanceState
    vcpus: int
    memory_mib: int
    created_at: float
    """Seconds since the epoch, UTC."""
    state_reason: str = ""
    trust: Trust = Trust.UNKNOWN
    trust_at: float | None = None
    trust_by: str = ""
    compliance: str = ""
    load: float = 0.0
    """Share of one CPU in use, 0.0 to `vcpus`."""
    emulated: bool = False
    runs: str = ""
    """What really runs where that is not `image`: the built-in guest's name, else ""."""
    secure_boot: bool = False
    vtpm: bool = False
    integrity_monitoring: bool = False
    host: str = ""
    """HostInfo.name of the host that it runs on, where its provider tells; "" while it does not run."""
    attested_at: float | None = None
    """When evidence of the present power-on was verified last (seconds since the epoch), or None: its freshness."""
    labels: Mapping[str, str] = field(default_factory=_no_labels)

    @property
    def confidential(self) -> bool:
        return self.technology is not Technology.NONE


def check_name(name: str) -> str:
    """Return `name` if it is a legal instance name, else raise InvalidInput("name")."""
    if not name:
        raise InvalidInput("name", "Give the instance a name")
    if len(name) > 63:
        raise InvalidInput("name", f"The name has {len(name)} characters; at most 63 are allowed")
    if not NAME_PATTERN.fullmatch(name):
        raise InvalidInput(
            "name",
            "A name starts with a lower-case letter and has only lower-case letters, digits and hyphens, "
            "not ending in a hyphen",
        )
    return name


def check_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return `labels` if all keys and values are legal, else raise InvalidInput("labels")."""
    if len(labels) > 64:
        raise InvalidInput("labels", f"{len(labels)} labels were given; at most 64 are allowed")
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            raise InvalidInput(
                "labels",
                f"The label {key!r}={value!r} is not legal: lower-case letters, digits, - and _, "
                "at most 63 characters, the key starting with a letter",
            )
    return labels
