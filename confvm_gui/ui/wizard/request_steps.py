"""What the wizard's pages are called, which fields of a request each is for, and what can be pending in a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.launch import ForcedSetting


class Step(IntEnum):
    """The pages, in their order."""

    WHERE = 0
    MACHINE = 1
    IMAGE = 2
    CONFIDENTIAL = 3
    DATA = 4
    REVIEW = 5


FIELDS: Mapping[Step, tuple[str, ...]] = MappingProxyType(
    {
        Step.WHERE: ("name", "provider", "cloud", "region", "zone"),
        Step.MACHINE: ("machine_type",),
        Step.IMAGE: ("image",),
        Step.CONFIDENTIAL: (
            "technology",
            "min_cpu_platform",
            "host_maintenance",
            "nic_type",
            "secure_boot",
            "vtpm",
            "integrity_monitoring",
            "attest",
        ),
        Step.DATA: ("records", "disk_key", "seed"),
        Step.REVIEW: ("labels", "request"),
    }
)
"""Which fields of the request a page is for; problems with a field are shown there."""


OF_ANY_CLOUD = (
    "name",
    "provider",
    "technology",
    "records",
    "seed",
    "labels",
    "secure_boot",
    "vtpm",
    "integrity_monitoring",
    "attest",
)
"""Fields that stay as they are when another cloud is chosen."""


def spelled(value: object) -> str:
    """A field's value as a `ForcedSetting` writes it."""
    return str(value.value) if isinstance(value, Enum) else str(value)


def step_of(field: str) -> Step:
    """The page for a field; Review for one that no page has."""
    return next((step for step, fields in FIELDS.items() if field in fields), Step.REVIEW)


class RecordsChoice(Enum):
    SAMPLE = "sample"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Pending:
    """What making it confidential would change, shown and not yet applied."""

    technology: Technology
    request: LaunchRequest
    forced: tuple[ForcedSetting, ...]
