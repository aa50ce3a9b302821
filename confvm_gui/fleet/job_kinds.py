"""What each kind of operation needs of an instance's state and of its provider, and how the optional ones are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confvm_gui.domain.errors import Unsupported, WrongState
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.operation import Operation, OperationKind
from confvm_gui.domain.ports.provider import (
    CanClone,
    CanMigrate,
    CanPause,
    Capability,
    HasSnapshots,
    OperationContext,
    Provider,
)
from confvm_gui.domain.roles import Permission

_OFF: Final = frozenset({InstanceState.STOPPED, InstanceState.CRASHED})
_LIVE: Final = frozenset({InstanceState.RUNNING, InstanceState.PAUSED})
_ALLOWED: Final[Mapping[OperationKind, frozenset[InstanceState]]] = {
    OperationKind.START: _OFF,
    OperationKind.STOP: _LIVE | {InstanceState.CRASHED},
    OperationKind.RESET: _LIVE | {InstanceState.CRASHED},
    OperationKind.PAUSE: frozenset({InstanceState.RUNNING}),
    OperationKind.RESUME: frozenset({InstanceState.PAUSED}),
    OperationKind.MIGRATE: frozenset({InstanceState.RUNNING}),
    OperationKind.SNAPSHOT: _LIVE | {InstanceState.STOPPED},
    OperationKind.REVERT: _LIVE | _OFF,
    OperationKind.DELETE_SNAPSHOT: _LIVE | _OFF,
    OperationKind.CLONE: frozenset({InstanceState.STOPPED}),
    OperationKind.DELETE: frozenset(InstanceState) - {InstanceState.DELETING},
}
_POWERS: Final[Mapping[OperationKind, tuple[type, Capability]]] = {
    OperationKind.PAUSE: (CanPause, Capability.PAUSE),
    OperationKind.RESUME: (CanPause, Capability.PAUSE),
    OperationKind.MIGRATE: (CanMigrate, Capability.MIGRATION),
    OperationKind.SNAPSHOT: (HasSnapshots, Capability.SNAPSHOT),
    OperationKind.REVERT: (HasSnapshots, Capability.SNAPSHOT),
    OperationKind.DELETE_SNAPSHOT: (HasSnapshots, Capability.SNAPSHOT),
    OperationKind.CLONE: (CanClone, Capability.CLONE),
}
SNAPSHOT_KINDS: Final = (OperationKind.SNAPSHOT, OperationKind.REVERT, OperationKind.DELETE_SNAPSHOT)
TOLD_MORE: Final[Mapping[OperationKind, tuple[str, str]]] = {
    OperationKind.MIGRATE: ("host", "Say to which host the instance is to be migrated"),
    OperationKind.CLONE: ("name", "Say how the copy is to be named"),
    **dict.fromkeys(SNAPSHOT_KINDS, ("snapshot", "Say which snapshot is meant")),
}
"""Kinds that are not asked for by their name alone: the field that they need, and a sentence that asks for it."""
UNDONE: Final = frozenset({OperationKind.CREATE, OperationKind.CLONE})
"""They make an instance, of which nothing stays behind when they fail."""


_TOLD: Final = (
    "host",
    "source",
    "snapshot",
    "cloud",
    "region",
    "zone",
    "machine_type",
    "image",
    "technology",
    "disk_key",
)
"""What of an intent stands in the audit log. What a guest is given at its first boot does not: it may hold secrets."""


def permission_for(kind: OperationKind) -> Permission:
    """What it takes to ask for `kind`."""
    return Permission.DELETE if kind is OperationKind.DELETE else Permission.OPERATE


def told_intent(operation: Operation) -> dict[str, object]:
    """What the audit log says of what was asked."""
    return {key: operation.intent[key] for key in _TOLD if operation.intent.get(key)}


def allowed(kind: OperationKind, state: InstanceState) -> bool:
    """Whether an instance in `state` can be asked for `kind`."""
    return state in _ALLOWED.get(kind, frozenset())


def missing_power(kind: OperationKind, provider: Provider) -> str:
    """Why this provider does not know `kind` at all, in one sentence; "" where it does."""
    power, capability = _POWERS.get(kind, (None, Capability.NONE))
    if power is None:
        return ""
    reason = provider.reason_unsupported(capability)
    return reason if reason or isinstance(provider, power) else f"{provider.title} cannot be asked to {kind.value}"


def require_possible(kind: OperationKind, instance: Instance, provider: Provider) -> None:
    """Raises WrongState, Unsupported."""
    if not allowed(kind, instance.state):
        raise WrongState(f"{instance.name} is {instance.state.value}: it cannot be asked to {kind.value} now")
    reason = missing_power(kind, provider)
    if reason:
        raise Unsupported(reason)


async def perform_optional(provider: Provider, operation: Operation, context: OperationContext) -> Instance:
    """Do what not every provider can. Raises Unsupported, and what the provider raises."""
    kind, instance_id = operation.kind, operation.instance_id

    def text(key: str) -> str:
        return str(operation.intent.get(key, ""))

    if isinstance(provider, CanPause) and kind is OperationKind.PAUSE:
        return await provider.pause(instance_id, context)
    if isinstance(provider, CanPause) and kind is OperationKind.RESUME:
        return await provider.resume(instance_id, context)
    if isinstance(provider, CanMigrate) and kind is OperationKind.MIGRATE:
        return await provider.migrate(instance_id, text("host"), context)
    if isinstance(provider, CanClone) and kind is OperationKind.CLONE:
        return await provider.clone(text("source"), operation.instance_name, context)
    if isinstance(provider, HasSnapshots) and kind in SNAPSHOT_KINDS:
        act = {
            OperationKind.SNAPSHOT: provider.take_snapshot,
            OperationKind.REVERT: provider.revert_to_snapshot,
            OperationKind.DELETE_SNAPSHOT: provider.delete_snapshot,
        }[kind]
        return await act(instance_id, text("snapshot"), context)
    raise Unsupported(missing_power(kind, provider))
