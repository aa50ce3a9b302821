"""Words and figures for people: states, times, sizes. All of it translated.

Words are looked up once: the language is chosen before the first window and changed by a restart.
"""

from __future__ import annotations

import time
from datetime import datetime
from functools import cache

from PySide6.QtCore import QCoreApplication, QLocale

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.policy import Compliance
from confvm_gui.ui.models.fleet_columns import FleetColumn, labels_text

translate = QCoreApplication.translate


@cache
def state_word(state: InstanceState) -> str:
    """`Running`, `Stopped` …"""
    return {
        InstanceState.CREATING: translate("InstanceState", "Creating"),
        InstanceState.STARTING: translate("InstanceState", "Starting"),
        InstanceState.RUNNING: translate("InstanceState", "Running"),
        InstanceState.PAUSED: translate("InstanceState", "Paused"),
        InstanceState.STOPPING: translate("InstanceState", "Stopping"),
        InstanceState.STOPPED: translate("InstanceState", "Stopped"),
        InstanceState.CRASHED: translate("InstanceState", "Crashed"),
        InstanceState.DELETING: translate("InstanceState", "Deleting"),
    }[state]


STATE_MARKS = {
    InstanceState.CREATING: ("busy", "accent"),
    InstanceState.STARTING: ("busy", "accent"),
    InstanceState.RUNNING: ("start", "success"),
    InstanceState.PAUSED: ("pause", "warning"),
    InstanceState.STOPPING: ("busy", "muted"),
    InstanceState.STOPPED: ("stop", "muted"),
    InstanceState.CRASHED: ("warning", "danger"),
    InstanceState.DELETING: ("delete", "muted"),
}
"""Icon and colour role of a state: a shape of its own for each, so that colour never carries the meaning alone."""

STATE_TONES = {
    InstanceState.RUNNING: "success",
    InstanceState.PAUSED: "warning",
    InstanceState.CRASHED: "danger",
}
"""Tone of the pill in which a state is shown; the others are neutral."""


@cache
def compliance_word(value: str) -> str:
    """Of `Instance.compliance`; a dash where nothing was judged."""
    return {
        Compliance.COMPLIANT.value: translate("Compliance", "Compliant"),
        Compliance.WARNING.value: translate("Compliance", "Warning"),
        Compliance.VIOLATING.value: translate("Compliance", "Violating"),
        Compliance.UNGUARDED.value: translate("Compliance", "Unguarded"),
    }.get(value, "–")


@cache
def trust_word(trust: Trust) -> str:
    return {
        Trust.NOT_APPLICABLE: translate("Trust", "Not applicable"),
        Trust.UNKNOWN: translate("Trust", "Unknown"),
        Trust.MEASURED: translate("Trust", "Measured"),
        Trust.TRUSTED: translate("Trust", "Trusted"),
        Trust.UNTRUSTED: translate("Trust", "Untrusted"),
    }[trust]


@cache
def trust_meaning(trust: Trust) -> str:
    """One sentence for a tool tip."""
    return {
        Trust.NOT_APPLICABLE: translate("Trust", "Not a confidential VM: there is nothing to attest"),
        Trust.UNKNOWN: translate("Trust", "No evidence has been appraised yet"),
        Trust.MEASURED: translate(
            "Trust", "The launch measurement matched; the platform that made it is emulated or not verified to a root"
        ),
        Trust.TRUSTED: translate(
            "Trust", "Evidence was verified down to the maker's root and fits the reference values"
        ),
        Trust.UNTRUSTED: translate("Trust", "The evidence does not hold or does not fit the reference values"),
    }[trust]


TRUST_MARKS = {
    Trust.NOT_APPLICABLE: ("", "muted"),
    Trust.UNKNOWN: ("unknown", "muted"),
    Trust.MEASURED: ("ok", "confidential"),
    Trust.TRUSTED: ("shield", "success"),
    Trust.UNTRUSTED: ("error", "danger"),
}


@cache
def technology_word(technology: Technology) -> str:
    if technology is Technology.NONE:
        return translate("Technology", "None (plain VM)")
    return technology.title


@cache
def operation_word(kind: OperationKind) -> str:
    return {
        OperationKind.CREATE: translate("OperationKind", "Create"),
        OperationKind.START: translate("OperationKind", "Start"),
        OperationKind.STOP: translate("OperationKind", "Stop"),
        OperationKind.RESET: translate("OperationKind", "Reset"),
        OperationKind.PAUSE: translate("OperationKind", "Pause"),
        OperationKind.RESUME: translate("OperationKind", "Resume"),
        OperationKind.MIGRATE: translate("OperationKind", "Migrate"),
        OperationKind.SNAPSHOT: translate("OperationKind", "Take snapshot"),
        OperationKind.REVERT: translate("OperationKind", "Revert"),
        OperationKind.DELETE_SNAPSHOT: translate("OperationKind", "Delete snapshot"),
        OperationKind.CLONE: translate("OperationKind", "Clone"),
        OperationKind.DELETE: translate("OperationKind", "Delete"),
    }[kind]


@cache
def status_word(status: OperationStatus) -> str:
    return {
        OperationStatus.PENDING: translate("OperationStatus", "Waiting"),
        OperationStatus.RUNNING: translate("OperationStatus", "Running"),
        OperationStatus.SUCCEEDED: translate("OperationStatus", "Done"),
        OperationStatus.FAILED: translate("OperationStatus", "Failed"),
        OperationStatus.CANCELLED: translate("OperationStatus", "Cancelled"),
        OperationStatus.ROLLED_BACK: translate("OperationStatus", "Rolled back"),
    }[status]


@cache
def column_title(column: FleetColumn) -> str:
    return {
        FleetColumn.NAME: translate("FleetColumn", "Name"),
        FleetColumn.STATE: translate("FleetColumn", "State"),
        FleetColumn.TECHNOLOGY: translate("FleetColumn", "Technology"),
        FleetColumn.TRUST: translate("FleetColumn", "Trust"),
        FleetColumn.LOAD: translate("FleetColumn", "Load"),
        FleetColumn.PROVIDER: translate("FleetColumn", "Provider"),
        FleetColumn.REGION: translate("FleetColumn", "Region"),
        FleetColumn.ZONE: translate("FleetColumn", "Zone"),
        FleetColumn.MACHINE_TYPE: translate("FleetColumn", "Machine type"),
        FleetColumn.IMAGE: translate("FleetColumn", "Image"),
        FleetColumn.VCPUS: translate("FleetColumn", "vCPUs"),
        FleetColumn.MEMORY: translate("FleetColumn", "Memory"),
        FleetColumn.LABELS: translate("FleetColumn", "Labels"),
        FleetColumn.COMPLIANCE: translate("FleetColumn", "Compliance"),
        FleetColumn.CLOUD: translate("FleetColumn", "Cloud"),
        FleetColumn.CREATED: translate("FleetColumn", "Created"),
    }[column]


def cell_text(instance: Instance, column: FleetColumn) -> str:
    """What a cell of the fleet table says, in words."""
    match column:
        case FleetColumn.NAME:
            return instance.name
        case FleetColumn.STATE:
            return state_word(instance.state)
        case FleetColumn.TECHNOLOGY:
            return technology_word(instance.technology)
        case FleetColumn.TRUST:
            return "–" if instance.trust is Trust.NOT_APPLICABLE else trust_word(instance.trust)
        case FleetColumn.LOAD:
            return f"{instance.load / max(1, instance.vcpus):.0%}" if instance.state.is_live else "–"
        case FleetColumn.PROVIDER:
            if instance.emulated:
                return translate("FleetColumn", "{provider} (emulated)").format(provider=instance.provider)
            return instance.provider
        case FleetColumn.REGION:
            return instance.region
        case FleetColumn.ZONE:
            return instance.zone
        case FleetColumn.MACHINE_TYPE:
            return instance.machine_type
        case FleetColumn.IMAGE:
            return instance.image
        case FleetColumn.VCPUS:
            return str(instance.vcpus)
        case FleetColumn.MEMORY:
            return mebibytes(instance.memory_mib)
        case FleetColumn.LABELS:
            return labels_text(instance)
        case FleetColumn.COMPLIANCE:
            return compliance_word(instance.compliance)
        case FleetColumn.CLOUD:
            return instance.cloud
        case FleetColumn.CREATED:
            return moment(instance.created_at)


def mebibytes(count: int) -> str:
    """`512 MiB`, `8 GiB`."""
    if count >= 1024 and count % 1024 == 0:
        return f"{count // 1024} GiB"
    return f"{count / 1024:.1f} GiB" if count > 10240 else f"{count} MiB"


def byte_size(count: float) -> str:
    """`0 B`, `3.4 KiB`, `1.2 GiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def count_text(count: int) -> str:
    """With the language's thousands separators."""
    return QLocale().toString(count)


_LONGEST_WORD = 24


def breakable(text: str) -> str:
    """`text` with places to wrap at in words too long for a narrow column, such as a name of 63 characters.

    The places are zero width spaces (U+200B): for showing only, not for what is copied or searched.
    """
    return " ".join(
        word
        if len(word) <= _LONGEST_WORD
        else "\u200b".join(word[at : at + _LONGEST_WORD] for at in range(0, len(word), _LONGEST_WORD))
        for word in text.split(" ")
    )


def moment(at: float) -> str:
    """Local date and time to the second; the time alone for today."""
    when = datetime.fromtimestamp(at)
    if when.date() == datetime.fromtimestamp(time.time()).date():
        return f"{when:%H:%M:%S}"
    return f"{when:%Y-%m-%d %H:%M:%S}"


def snapshot_name() -> str:
    """For a snapshot that nobody has named: the local time."""
    return f"{datetime.fromtimestamp(time.time()):%Y-%m-%d-%H%M%S}"


def duration(seconds: float) -> str:
    """`4 ms`, `1.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
