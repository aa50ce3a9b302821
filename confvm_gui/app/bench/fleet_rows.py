"""A made-up fleet, the same each time, for figures that need one."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import Instance, InstanceState, Trust

_ROLES: Final = ("web", "db", "cache", "batch", "queue", "proxy", "build", "metrics")
_REGIONS: Final = ("europe-west1", "europe-west4", "us-central1", "asia-southeast1", "us-east4", "europe-north1")
_TYPES: Final = ("n2d-standard-2", "n2d-standard-8", "c2d-highcpu-16", "c3d-standard-4", "n2d-highmem-32")
_IMAGES: Final = ("ubuntu-2004-focal", "ubuntu-2204-jammy", "cos-stable", "rhel-8", "debian-12-bookworm")
_STATES: Final = (InstanceState.RUNNING, InstanceState.RUNNING, InstanceState.STOPPED, InstanceState.CRASHED)
_TECHNOLOGIES: Final = (Technology.SEV, Technology.SEV, Technology.SEV_SNP, Technology.TDX, Technology.NONE)
_VCPUS: Final = (2, 4, 8, 16)
_LABELS: Final = tuple(MappingProxyType({"env": value}) for value in ("prod", "test", "dev"))
_NEWEST: Final = 1_700_000_000.0
_OLDEST: Final = 90 * 86400
"""Seconds before the newest."""

_T = TypeVar("_T")


def made_up_fleet(count: int, provider: str = "embedded", state: InstanceState | None = None) -> list[Instance]:
    """`count` instances of distinct names, all in `state` if one is given."""
    draw = np.random.default_rng(count)

    def drawn(choices: Sequence[_T]) -> list[_T]:
        return [choices[at] for at in draw.integers(0, len(choices), count)]

    loads = draw.random(count).round(3).tolist()
    ages = draw.integers(0, _OLDEST, count).tolist()
    columns = zip(
        drawn(_ROLES), drawn(_REGIONS), drawn("abc"), drawn(_TYPES), drawn(_IMAGES), drawn(_STATES),
        drawn(_TECHNOLOGIES), drawn(_VCPUS), drawn(_LABELS), loads, ages,
        strict=True,
    )  # fmt: skip
    return [
        Instance(
            id=f"{number:032x}",
            name=f"{role}-{number}",
            provider=provider,
            cloud="gce",
            region=region,
            zone=f"{region}-{zone}",
            machine_type=machine_type,
            image=image,
            technology=technology,
            state=drawn_state if state is None else state,
            vcpus=vcpus,
            memory_mib=vcpus * 4096,
            created_at=_NEWEST - age,
            trust=Trust.NOT_APPLICABLE if technology is Technology.NONE else Trust.MEASURED,
            load=load,
            emulated=provider == "embedded",
            labels=labels,
        )
        for number, (
            role, region, zone, machine_type, image, drawn_state, technology, vcpus, labels, load, age
        ) in enumerate(columns)
    ]  # fmt: skip
