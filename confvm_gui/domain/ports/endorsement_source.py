"""Where endorsements come from: AMD's KDS, Intel's PCS, a cloud's certificate store, or files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from confvm_gui.domain.attestation import EndorsementNeed, Endorsements


class EndorsementSource(Protocol):
    """Gets what evidence needs. A source keeps what it fetched, and waits between attempts that are refused."""

    async def fetch(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        """All of `needs` that can be had; what is not published (404) is left out, and the verdict says what lacks.

        Raises Transient when the source cannot be reached or asks to wait, InvalidInput("endorsements") when what
        it gave is malformed.
        """
