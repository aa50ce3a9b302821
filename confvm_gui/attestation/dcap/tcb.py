"""Which published TCB level a platform has, by the algorithm of Intel's PCS API, version 4 ("Get TCB info").

Levels are compared in the order in which they stand, and the first whose every component the platform reaches is its
level. Statuses of the quoting enclave and of the TDX module are then merged into the platform's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.dcap.collateral import EnclaveIdentity, ModuleIdentity, TcbInfo, TcbLevel
from confvm_gui.attestation.dcap.pck import PckExtension

UP_TO_DATE: Final = "UpToDate"
OUT_OF_DATE: Final = "OutOfDate"
REVOKED: Final = "Revoked"
NEEDS_HARDENING: Final = frozenset({"SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"})
_WITH_CONFIGURATION: Final = frozenset({"ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"})
_OUT_OF_DATE_CONFIGURATION: Final = "OutOfDateConfigurationNeeded"


@dataclass(frozen=True, slots=True)
class TcbStatus:
    """A status with what stands beside it."""

    status: str
    date: str
    advisories: tuple[str, ...]

    def merged(self, other: TcbLevel) -> TcbStatus:
        """This platform's status, given the level of a part of it: revoked and outdated parts pull it down."""
        advisories = self.advisories + tuple(name for name in other.advisories if name not in self.advisories)
        status = self.status
        if other.status == REVOKED:
            status = REVOKED
        elif other.status == OUT_OF_DATE and status in _WITH_CONFIGURATION:
            status = _OUT_OF_DATE_CONFIGURATION
        elif other.status == OUT_OF_DATE and status in (UP_TO_DATE, "SWHardeningNeeded"):
            status = OUT_OF_DATE
        elif other.status not in (UP_TO_DATE, OUT_OF_DATE) and status == UP_TO_DATE:
            status = other.status
        return TcbStatus(status, min(self.date, other.date), advisories)


def platform_level(info: TcbInfo, pck: PckExtension, tee_tcb_svn: bytes = b"") -> TcbLevel | None:
    """The platform's level, or None if it reaches none. `tee_tcb_svn`: 16 bytes for TDX, empty for SGX.

    Where TEE_TCB_SVN[1] is not 0 the module has an identity of its own (`module_identity`), and components 0 and 1,
    which are the module's, are not compared here.
    """
    first = 2 if tee_tcb_svn and tee_tcb_svn[1] else 0
    for level in info.levels:
        if pck.pce_svn < level.pce_svn or not _reaches(pck.component_svns, level.sgx_components):
            continue
        if not tee_tcb_svn or _reaches(tuple(tee_tcb_svn)[first:], level.tdx_components[first:]):
            return level
    return None


def module_identity(info: TcbInfo, tee_tcb_svn: bytes) -> ModuleIdentity | None:
    """The published identity of the TDX module that runs, or None if Intel published none for it."""
    if not tee_tcb_svn[1]:
        return info.module
    wanted = f"TDX_{tee_tcb_svn[1]:02X}"
    return next((module for module in info.modules if module.id.upper() == wanted), None)


def svn_level(levels: tuple[TcbLevel, ...], svn: int) -> TcbLevel | None:
    """The first level that `svn` reaches: of a module (its TEE_TCB_SVN[0]) or of an enclave (its ISVSVN)."""
    return next((level for level in levels if svn >= level.isv_svn), None)


def qe_level(identity: EnclaveIdentity, isv_svn: int) -> TcbLevel | None:
    """The quoting enclave's level."""
    return svn_level(identity.levels, isv_svn)


def _reaches(actual: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(actual) == len(wanted) and all(have >= need for have, need in zip(actual, wanted, strict=True))
