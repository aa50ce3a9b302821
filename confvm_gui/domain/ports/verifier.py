"""Is this evidence to be trusted? Pure: bytes and a time in, a verdict out."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues, Verdict


class Verifier(Protocol):
    """Evaluates evidence of any EvidenceFormat."""

    def evaluate(
        self, evidence: Evidence, endorsements: Endorsements, reference_values: ReferenceValues, at: datetime
    ) -> Verdict:
        """Verify and appraise as of `at`, which is aware of its time zone.

        Untrusted is a verdict; InvalidInput means that evidence or endorsements are malformed. Never blocks: no
        input keeps it longer than 100 ms.
        """
