"""Chain, signatures and anchor of a log, judged together.

What stays undetected: whoever has the signing key (the user who runs the console, and root) can write another log and
sign it; only the anchor, an export or a forwarded copy contradicts that. Records after the last checkpoint can be
replaced by whoever may write the data directory, as long as neither anchor nor copy has seen them. What was never
recorded is not missed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.domain.event import AuditVerdict, Checkpoint, FoundCheckpoint
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.fleet.audit.anchor import AnchorFile
from confvm_gui.fleet.audit.checkpoints import EVERY, holds

NO_KEY: Final = "Signatures were not verified: there is no signing key in this data directory"
_KEY_BYTES = 32


def parse_key(text: str) -> bytes:
    """An Ed25519 public key in hex. Raises InvalidInput("key")."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidInput("key", "A public key is 64 hexadecimal digits, as `confvm audit key` prints it")
    return key


async def verify_log(log: AuditLog, key: bytes | None, anchor: AnchorFile | None, *, no_key: str = "") -> AuditVerdict:
    """Verify all. `key` is None where there is none, for the reason `no_key`; `anchor` None: it is left out."""
    kept: Checkpoint | None = None
    damage = ""
    if anchor is not None:
        # Before the log is read: a console that runs meanwhile moves both on.
        try:
            kept = await asyncio.to_thread(anchor.read)
        except ConfvmError as error:
            damage = error.message
    verdict = await log.verify()
    if key is None and kept is not None and not no_key:
        key = bytes.fromhex(kept.key)  # the key was taken away, but what it was is known
    if key is None:
        return replace(verdict, notes=(no_key or NO_KEY,))
    verdict = await asyncio.to_thread(_judge_checkpoints, replace(verdict, key=key.hex()), key)
    if anchor is None or not verdict.intact:
        return verdict
    if damage:
        return _bad(verdict, verdict.signed_to + 1, damage)
    if kept is None:
        note = (
            f"There is no anchor at {anchor.path}: an older copy of the whole data directory, or one cut off behind a "
            "checkpoint, would not be noticed"
        )
        return replace(verdict, notes=(*verdict.notes, note))
    return await _judge_anchor(log, verdict, kept, key, anchor)


def _judge_checkpoints(verdict: AuditVerdict, key: bytes) -> AuditVerdict:
    signed_to = 0
    for found in verdict.checkpoints:
        if reason := _unfit(found, key, signed_to):
            # The chain before is whole, so whoever changed it recomputed it: which record it was cannot be told closer.
            return _bad(replace(verdict, signed_to=signed_to), signed_to + 1, reason)
        assert found.checkpoint is not None
        signed_to = max(signed_to, found.checkpoint.head.sequence)
    verdict = replace(verdict, signed_to=signed_to)
    if not verdict.checkpoints and verdict.intact and verdict.records > EVERY:
        return _bad(verdict, 1, "No record is signed, though this data directory has a signing key")
    return verdict


def _unfit(found: FoundCheckpoint, key: bytes, signed_to: int) -> str:
    checkpoint = found.checkpoint
    if checkpoint is None:
        return f"Record {found.sequence} says that it is a checkpoint and holds none"
    between = f"records {signed_to + 1} to {checkpoint.head.sequence}"
    if checkpoint.key != key.hex():
        return f"The checkpoint in record {found.sequence}, of {between}, was signed with another key"
    if not _signature_holds(checkpoint, key):
        return (
            f"The signature in record {found.sequence} does not hold: {between} or the checkpoint itself were altered, "
            "and the chain recomputed without the key"
        )
    if not found.fits:
        return f"What was signed in record {found.sequence} is not there: one of {between} was altered"
    return ""


async def _judge_anchor(
    log: AuditLog, verdict: AuditVerdict, kept: Checkpoint, key: bytes, anchor: AnchorFile
) -> AuditVerdict:
    if kept.key != key.hex():
        return _bad(verdict, 1, f"The anchor {anchor.path} was signed with another key: this is another log")
    if not _signature_holds(kept, key):
        return _bad(verdict, verdict.signed_to + 1, f"The signature of the anchor {anchor.path} does not hold")
    if kept.head.sequence > verdict.records:
        reason = (
            f"Record {verdict.records + 1} is missing: the log had {kept.head.sequence} records once, and was cut off "
            "or replaced by an older copy"
        )
        return _bad(verdict, verdict.records + 1, reason)
    if not await holds(log, kept.head):
        reason = (
            f"Record {kept.head.sequence} is not the one that was seen there: the log was replaced by an older copy "
            "that has grown since, or cut off and continued"
        )
        return _bad(verdict, min(verdict.signed_to + 1, kept.head.sequence), reason)
    return verdict


def _bad(verdict: AuditVerdict, first: int, reason: str) -> AuditVerdict:
    if not verdict.intact and verdict.first_bad is not None and verdict.first_bad <= first:
        return verdict
    return replace(verdict, intact=False, first_bad=first, reason=reason)


def _signature_holds(checkpoint: Checkpoint, key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(checkpoint.signature), checkpoint.message)
    except (InvalidSignature, ValueError):
        return False
    return True
