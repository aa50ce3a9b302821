"""Which ASID a launch gets: the hypervisor's bookkeeping, beside the firmware's rules.

ASIDs are few, and one that was in use serves again only after WBINVD on all cores and a DF_FLUSH, which disturb
every guest. So freed ASIDs are kept aside and flushed together when no fresh one is left (KVM does the same, see
Linux, arch/x86/kvm/svm/sev.c).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from confvm_gui.domain.errors import CapacityExceeded


class AsidPool:
    """ASIDs `first` to `last`, for guests of one `kind`. `flush` runs WBINVD and DF_FLUSH. Thread-safe."""

    def __init__(self, first: int, last: int, flush: Callable[[], None], kind: str = "SEV") -> None:
        self._fresh = list(range(last, first - 1, -1))
        self._used: list[int] = []
        self._flush = flush
        self._kind = kind
        self._lock = threading.Lock()
        self.size = last - first + 1

    @property
    def available(self) -> int:
        """ASIDs that a launch can get, with a flush if need be."""
        return len(self._fresh) + len(self._used)

    def take(self) -> int:
        """Raises CapacityExceeded when all are in use."""
        with self._lock:
            if not self._fresh and self._used:
                self._flush()
                self._fresh, self._used = sorted(self._used, reverse=True), []
            if self._fresh:
                return self._fresh.pop()
        if not self.size:
            raise CapacityExceeded(f"The emulated host has no ASIDs set apart for {self._kind} guests")
        raise CapacityExceeded(
            f"All {self.size} ASIDs of the emulated host for {self._kind} guests are in use; stop an instance first"
        )

    def give_back(self, asid: int) -> None:
        """After DEACTIVATE."""
        with self._lock:
            self._used.append(asid)
