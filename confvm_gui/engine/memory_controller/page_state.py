"""States of a page of DRAM, one byte each, written by the memory controller and by the vCPUs' page walks.

What a byte of the shared memory is depends on the state of its page:

- `UNTOUCHED`, `RAW`: what DRAM holds.
- `PRIVATE`: the guest's plaintext, as it stands in the caches of the real machine. What DRAM holds is its
  encryption, which `controller` computes whenever somebody reads DRAM.
"""

from __future__ import annotations

from typing import Final

UNTOUCHED: Final = 0
"""Raw content that nobody has written or used since the page was handed out."""
PRIVATE: Final = 1
"""Accessed with C-bit set: the shared memory holds plaintext under the owner's ASID."""
RAW: Final = 2
"""Accessed with C-bit clear, or written by the hypervisor: the shared memory holds what DRAM holds."""
TOUCHED: Final = 0x80
"""Flag beside the state: the guest has used the page (set by the vCPU's page walk)."""
STATE_MASK: Final = 0x7F
