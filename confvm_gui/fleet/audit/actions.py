"""Every action that the console records, with what it means.

An action is dotted: what it is about, then what happened. Names of operations and states are completed from their
kinds: `operation.create`, `operation.failed`, `instance.running`; a star stands for several that are told alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind, OperationStatus

_ENDS = tuple(status for status in OperationStatus if status.is_final)

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        **{f"operation.{kind.value.replace(' ', '-')}": f"{kind.value} was accepted" for kind in OperationKind},
        **{f"operation.{end.value.replace(' ', '-')}": f"an operation ended: {end.value}" for end in _ENDS},
        "operation.resumed": "an operation that a crash interrupted was taken up again",
        "operation.waiting": "an interrupted operation waits for a provider that is not configured",
        "operation.undo-failed": "what an operation left behind could not be removed",
        **{f"instance.{state.value}": f"an instance became {state.value}" for state in InstanceState},
        "memory.view-plaintext": "somebody opened the guest's view, the plaintext memory, of a confidential instance",
        "memory.search-plaintext": "somebody searched the plaintext memory of a confidential instance",
        "memory.snapshot-plaintext": "somebody kept the plaintext memory of a confidential instance to compare with it",
        "memory.export": "memory was written to a file",
        "guest.query": "a question was put to the program in a guest",
        "guest.typed": "something was typed into the console of a guest",
        "operation.cancel-asked": "somebody asked an operation to turn back",
        "exposure.scan": "an instance's memory was searched for texts",
        "attestation.trusted": "evidence was verified and is trusted",
        "attestation.untrusted": "evidence was verified and is not trusted",
        "attestation.read": "evidence that nobody signs was read",
        "attestation.launch-refused": "evidence of a launch was not trusted, and no secret released",
        "attestation.baseline-accepted": "somebody set what an instance is expected to measure",
        "attestation.baseline-forgotten": "somebody made the console learn a baseline anew",
        "integrity.*": "an instance was compared with its baseline",
        "host.added": "a host was connected",
        "host.removed": "a host was taken off the list",
        "account.*": "an account of a cloud was connected, changed or taken off the list",
        "setting.changed": "a setting was changed",
        "image.*": "an image of the library was added, downloaded or removed",
        "key.*": "a key was made, used, rotated, disabled, destroyed, or that was refused",
        "release.*": "a secret was bound to conditions, given to a guest that meets them, refused or revoked",
        "policy.*": "guardrails were changed, denied a request, found drift, or an exception was granted",
        "audit.checkpoint": "the log was signed",
        "audit.anchor-mismatch": "the log is not the one that was seen before",
        "audit.anchor-accepted": "somebody accepted the log as it is, and its anchor was forgotten",
        "audit.signing-failed": "the log could not be signed",
        "audit.export": "the log was written to a file",
        "audit.forward": "forwarding of the log began, failed or went on",
        "access.denied": "somebody was refused what their role does not allow",
        "role.changed": "roles of the data directory were changed",
        "approval.asked": "something waits for a second person",
        "approval.approved": "a second person approved",
        "approval.rejected": "a second person rejected",
        "approval.refused": "a decision was not accepted: by the same person, too late, or without the right to it",
        "approval.expired": "nobody decided in time",
        "approval.done": "what was approved was carried out",
        "approval.failed": "what was approved could not be carried out",
    }
)


def is_known(action: str) -> bool:
    """Whether the action is listed."""
    return action in ACTIONS or f"{action.partition('.')[0]}.*" in ACTIONS
