"""Who signs for a data directory: checkpoints of the audit log, packs of rules."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """One Ed25519 key pair (RFC 8032). Methods raise KeyUnavailable."""

    async def public_key(self) -> bytes:
        """32 bytes."""

    async def sign(self, message: bytes) -> bytes:
        """64 bytes."""
