"""ASIDs, the finite resource of an SEV host: who owns which, and which must be flushed before it serves again.

Caches and write buffers may still hold lines under the key that an ASID had. So between DEACTIVATE and the next
ACTIVATE of an ASID all cores execute WBINVD, then the firmware flushes the data fabric (DF_FLUSH). Out of order,
DF_FLUSH answers WBINVD_REQUIRED and ACTIVATE answers DF_FLUSH_REQUIRED. After INIT the same holds for every ASID.
One flush serves all: hypervisors collect released ASIDs and flush once when they run out.
"""

from __future__ import annotations

from confvm_gui.engine.secure_processor.model import ProcessorModel


class AsidTable:
    """Owners (guest handles) of ASIDs and the flushes that are due."""

    def __init__(self, model: ProcessorModel) -> None:
        self._model = model
        self._owners: dict[int, int] = {}
        self._in_caches: set[int] = set()
        """Released since the last WBINVD."""
        self._in_fabric: set[int] = set()
        """Behind a WBINVD, but released since the last DF_FLUSH."""

    def mark_all(self) -> None:
        """Every ASID needs WBINVD and DF_FLUSH: the state after INIT."""
        self._in_caches = set(range(1, self._model.asid_count + 1))
        self._in_fabric.clear()

    def owner(self, asid: int) -> int | None:
        """Handle of the guest that is active on `asid`."""
        return self._owners.get(asid)

    def is_flushed(self, asid: int) -> bool:
        """Whether `asid` may be given to a guest as far as flushes go."""
        return asid not in self._in_caches and asid not in self._in_fabric

    def claim(self, asid: int, handle: int) -> None:
        self._owners[asid] = handle

    def release(self, asid: int) -> None:
        """The guest on `asid` was deactivated."""
        del self._owners[asid]
        self._in_caches.add(asid)

    def wbinvd(self) -> None:
        """All cores have written back and invalidated their caches."""
        self._in_fabric |= self._in_caches
        self._in_caches.clear()

    def df_flush(self) -> bool:
        """Flush the data fabric; False, and nothing is done, if a WBINVD is due before."""
        if self._in_caches:
            return False
        self._in_fabric.clear()
        return True
