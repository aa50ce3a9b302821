"""The columns of the fleet table: what is shown, sorted and filtered. No Qt, so that it can be tested bare."""

from __future__ import annotations

import re
from enum import Enum

from confvm_gui.domain.instance import Instance


class FleetColumn(Enum):
    """A column; the value is its key in filters and in the saved layout."""

    NAME = "name"
    STATE = "state"
    TECHNOLOGY = "tech"
    TRUST = "trust"
    LOAD = "load"
    PROVIDER = "provider"
    REGION = "region"
    ZONE = "zone"
    MACHINE_TYPE = "type"
    IMAGE = "image"
    VCPUS = "vcpus"
    MEMORY = "memory"
    LABELS = "labels"
    COMPLIANCE = "compliance"
    CLOUD = "cloud"
    CREATED = "created"

    @property
    def is_coded(self) -> bool:
        """Few distinct values: stored as small integer codes."""
        return self in CODED

    @property
    def is_number(self) -> bool:
        return self in NUMBERS


CODED = (
    FleetColumn.STATE,
    FleetColumn.TECHNOLOGY,
    FleetColumn.TRUST,
    FleetColumn.PROVIDER,
    FleetColumn.REGION,
    FleetColumn.ZONE,
    FleetColumn.MACHINE_TYPE,
    FleetColumn.IMAGE,
    FleetColumn.LABELS,
    FleetColumn.COMPLIANCE,
    FleetColumn.CLOUD,
)
NUMBERS = (FleetColumn.LOAD, FleetColumn.VCPUS, FleetColumn.MEMORY, FleetColumn.CREATED)
FREE_TEXT = (
    FleetColumn.PROVIDER,
    FleetColumn.REGION,
    FleetColumn.ZONE,
    FleetColumn.MACHINE_TYPE,
    FleetColumn.IMAGE,
    FleetColumn.LABELS,
)
"""Coded columns that a word without a key is searched in, beside the name."""

_DIGITS = re.compile(r"\d+")


def natural_key(text: str) -> str:
    """A string that sorts as people count: `web-2` before `web-10`, upper and lower case together."""
    return _DIGITS.sub(lambda run: run[0].zfill(12), text.lower())


def labels_text(instance: Instance) -> str:
    """`env=prod, team=risk`, by key: one coded value per distinct set of labels."""
    labels = instance.labels
    return ", ".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else ""


def coded_value(instance: Instance, column: FleetColumn) -> str:
    """The value of a coded column as filters spell it, lower case for fixed words."""
    match column:
        case FleetColumn.STATE:
            return instance.state.value
        case FleetColumn.TECHNOLOGY:
            return instance.technology.value
        case FleetColumn.TRUST:
            return instance.trust.value
        case FleetColumn.PROVIDER:
            return instance.provider
        case FleetColumn.REGION:
            return instance.region
        case FleetColumn.ZONE:
            return instance.zone
        case FleetColumn.MACHINE_TYPE:
            return instance.machine_type
        case FleetColumn.IMAGE:
            return instance.image
        case FleetColumn.LABELS:
            return labels_text(instance)
        case FleetColumn.COMPLIANCE:
            return instance.compliance
        case FleetColumn.CLOUD:
            return instance.cloud
        case _:
            raise ValueError(f"{column} is not a coded column")


def number_value(instance: Instance, column: FleetColumn) -> float:
    """The value of a numeric column: load in CPUs, memory in MiB, created in seconds since the epoch."""
    match column:
        case FleetColumn.LOAD:
            return instance.load
        case FleetColumn.VCPUS:
            return instance.vcpus
        case FleetColumn.MEMORY:
            return instance.memory_mib
        case FleetColumn.CREATED:
            return instance.created_at
        case _:
            raise ValueError(f"{column} is not a numeric column")
