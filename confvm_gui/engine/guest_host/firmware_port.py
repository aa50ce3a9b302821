"""What an SEV-SNP guest asks of its host while it runs, and the seam behind which the host answers.

The guest host hears the requests on port I/O (see `devices`) and from PVALIDATE, which Unicorn does not know and the
worker emulates. It passes them on to the object behind this protocol, `GuestHooks.firmware`, on the thread of the
worker's memory port: the guest's vCPU stands still until the answer is there, and so does every other guest of its
worker. An error that is raised crashes the guest with the error's text as the reason.
"""

from __future__ import annotations

from typing import Protocol


class GuestFirmware(Protocol):
    """One guest's side of the host: secure processor, hypervisor and RMP. Pages are numbers: GPA // 4096."""

    def guest_request(self) -> int:
        """SNP_GUEST_REQUEST: the message at GPA 0x9000 is answered at GPA 0xA000. 0, or the firmware's status."""

    def change_state(self, page: int, count: int, private: bool) -> int:
        """Page state change: RMPUPDATE of `count` pages from `page` on, to the guest or back. 0: done."""

    def pvalidate(self, page: int, count: int, validate: bool) -> tuple[int, bool]:
        """PVALIDATE over one page (`count` 1) or 2 MiB (`count` 512).

        Returns (code, whether the RMP changed): 0 success, 1 FAIL_INPUT, 6 FAIL_SIZEMISMATCH (24594, PVALIDATE).
        """
