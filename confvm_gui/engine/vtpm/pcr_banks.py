"""PCR banks (TPM 2.0 library, part 1, section 17; PC Client Platform TPM Profile, section 4.6).

SHA-256 and SHA-384, as the profile wants them. There is no SHA-1 bank: nobody should look at one any more.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Final

from confvm_gui.domain.errors import InvalidInput

PCR_COUNT: Final = 24
_DYNAMIC: Final = range(17, 23)
"""PCRs of a dynamic launch: ones until there is one."""


class Bank(IntEnum):
    """TPM_ALG_ID of a bank's hash."""

    SHA256 = 0x000B
    SHA384 = 0x000C

    @property
    def size(self) -> int:
        """Bytes of a digest."""
        return 32 if self is Bank.SHA256 else 48

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest() if self is Bank.SHA256 else hashlib.sha384(data).digest()


class PcrBanks:
    """24 registers in each bank, as they are after a reset."""

    def __init__(self) -> None:
        self._values = {
            bank: [(b"\xff" if pcr in _DYNAMIC else b"\0") * bank.size for pcr in range(PCR_COUNT)] for bank in Bank
        }

    def extend(self, pcr: int, digests: dict[Bank, bytes]) -> None:
        """PCR = H(PCR || digest) in every bank; InvalidInput("pcr") if there is no such PCR."""
        require_pcr(pcr)
        for bank, digest in digests.items():
            values = self._values[bank]
            values[pcr] = bank.digest(values[pcr] + digest)

    def value(self, bank: Bank, pcr: int) -> bytes:
        """What the register holds; InvalidInput("pcr") if there is no such PCR."""
        return self._values[bank][require_pcr(pcr)]


def require_pcr(pcr: int) -> int:
    """`pcr` itself; InvalidInput("pcr") unless a TPM has it."""
    if not 0 <= pcr < PCR_COUNT:
        raise InvalidInput("pcr", f"There is no PCR {pcr}; choose one from 0 to {PCR_COUNT - 1}")
    return pcr
