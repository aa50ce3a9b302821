"""What a provider hands over when it is asked who vouches for an instance: evidence, and what the console knows of it.

The adapter that makes it is the console's own code, not the host's: `reference` is what the console expects of this
instance (the digest that it computed itself, the policy that it asked for, the nonce that it sent), and only the
bytes in `evidence` and `endorsements` come from the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues

NONCE_SIZE = 32
"""Bytes of the nonce that asks for evidence. A format with less room takes its first bytes."""


class DigestCandidate(NamedTuple):
    """A digest that something else than the expected launch would have."""

    digest: bytes
    differs: str
    """What differs from the expected launch, for a person: `the guest image is heartbeat instead of records`."""


@dataclass(frozen=True, slots=True)
class GuestEvidence:
    """One piece of evidence of one instance, ready to be verified."""

    evidence: Evidence
    endorsements: Endorsements
    """What the host gave with it; may be all that there is (an emulated chain) or nothing."""
    reference: ReferenceValues
    candidates: tuple[DigestCandidate, ...] = ()
    """What may have been launched instead, to name what differs. Empty where nothing of that is known."""
    chip: str = ""
    """Which host gave it, for a person: `host 1 (emulated Genoa)`."""
