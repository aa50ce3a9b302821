"""Platform management (55766, chapter 5): state, owner, the platform's keys, flushing the data fabric."""

from __future__ import annotations

from dataclasses import dataclass

from confvm_gui.engine.secure_processor.firmware_state import FirmwareState, command
from confvm_gui.engine.secure_processor.identity import NV_SIZE
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.platform_buffers import PlatformStatus
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import PlatformState
from confvm_gui.sev.status import Status


@dataclass(frozen=True, slots=True)
class PdhCertExport:
    """What PDH_CERT_EXPORT writes."""

    pdh: bytes
    """The PDH's certificate, 2084 bytes."""
    chain: bytes
    """PEK || OCA || CEK, 2084 bytes each; empty if it was not asked for."""


class PlatformCommands(FirmwareState):
    """INIT, INIT_EX, SHUTDOWN, PLATFORM_RESET, PLATFORM_STATUS, PEK_*, PDH_*, DF_FLUSH, GET_ID."""

    @command(CommandId.INIT)
    def platform_init(self, *, es: bool = False) -> None:
        """INIT: from UNINIT to INIT. `es` enables SEV-ES for guests whose policy asks for it.

        No ASID can be activated before the cores have executed WBINVD (`wbinvd`) and DF_FLUSH was called.
        INVALID_PLATFORM_STATE.
        """
        self._es_enabled = es
        self._asids.mark_all()
        self._state = PlatformState.INIT

    @command(CommandId.INIT_EX)
    def platform_init_ex(self, nv: bytearray, *, es: bool = False) -> None:
        """INIT_EX: as INIT, with owner and platform keys kept in the host's buffer `nv` (NV_SIZE bytes).

        A buffer of 0xFF bytes is new: what the platform has is written there. Any other must be one that this chip
        wrote, and the platform takes owner and keys from it. Until SHUTDOWN every change is written there.
        INVALID_PLATFORM_STATE, INVALID_LENGTH, SECURE_DATA_INVALID.
        """
        this = CommandId.INIT_EX
        if len(nv) != NV_SIZE:
            raise refusal(this, Status.INVALID_LENGTH, f"the non-volatile buffer has {NV_SIZE} bytes")
        if any(byte != 0xFF for byte in nv):
            try:
                self._identity.restore(bytes(nv))
            except InvalidInput as error:
                raise refusal(this, Status.SECURE_DATA_INVALID, error.message) from error
        self._nv = nv
        self._persist()
        self._es_enabled = es
        self._asids.mark_all()
        self._state = PlatformState.INIT

    @command(CommandId.SHUTDOWN)
    def platform_shutdown(self) -> None:
        """SHUTDOWN: to UNINIT. All guests are gone with their keys; owner and platform keys stay.

        INVALID_PLATFORM_STATE.
        """
        for guest in self._guests.values():
            if guest.is_active:
                self._deactivate(guest)
            guest.wipe()
        self._guests.clear()
        self._es_enabled = False
        self._nv = None
        self._state = PlatformState.UNINIT

    @command(CommandId.PLATFORM_RESET)
    def platform_reset(self) -> None:
        """PLATFORM_RESET: forget the owner; new OCA, PEK and PDH. Legal in UNINIT only.

        INVALID_PLATFORM_STATE.
        """
        self._identity.provision()

    @command(CommandId.PLATFORM_STATUS)
    def platform_status(self) -> PlatformStatus:
        """PLATFORM_STATUS: legal in every state."""
        return PlatformStatus(
            version=self.model.version,
            state=self._state,
            externally_owned=self._identity.externally_owned,
            es_enabled=self._es_enabled,
            guest_count=len(self._guests),
        )

    @command(CommandId.PEK_GEN)
    def pek_gen(self) -> None:
        """PEK_GEN: new OCA, PEK and PDH; the platform is its own owner. INVALID_PLATFORM_STATE."""
        self._identity.provision()
        self._persist()

    @command(CommandId.PEK_CSR)
    def pek_csr(self) -> bytes:
        """PEK_CSR: the PEK's certificate, 2084 bytes, without signatures. INVALID_PLATFORM_STATE."""
        return self._identity.signing_request().to_bytes()

    @command(CommandId.PEK_CERT_IMPORT)
    def pek_cert_import(self, pek_cert: bytes, oca_cert: bytes) -> None:
        """PEK_CERT_IMPORT: the platform gets an owner, whose OCA (2084 bytes) signed the answer to PEK_CSR (2084).

        INVALID_PLATFORM_STATE, ALREADY_OWNED, INVALID_LENGTH, INVALID_CERTIFICATE, BAD_SIGNATURE.
        """
        this = CommandId.PEK_CERT_IMPORT
        if self._identity.externally_owned:
            raise refusal(this, Status.ALREADY_OWNED, "PEK_GEN makes it self-owned again")
        if len(pek_cert) != SEV_CERTIFICATE_SIZE or len(oca_cert) != SEV_CERTIFICATE_SIZE:
            raise refusal(this, Status.INVALID_LENGTH, f"a SEV certificate has {SEV_CERTIFICATE_SIZE} bytes")
        try:
            self._identity.adopt(SevCertificate.parse(pek_cert), SevCertificate.parse(oca_cert))
        except InvalidInput as error:
            status = Status.BAD_SIGNATURE if error.field == "signature" else Status.INVALID_CERTIFICATE
            raise refusal(this, status, error.message) from error
        self._persist()

    @command(CommandId.PDH_GEN)
    def pdh_gen(self) -> None:
        """PDH_GEN: a new PDH; sessions that were made for the old one no longer open. INVALID_PLATFORM_STATE."""
        self._identity.renew_pdh()
        self._persist()

    def pdh_cert_export(self, *, chain: bool = True) -> PdhCertExport:
        """PDH_CERT_EXPORT: the PDH's certificate and, unless not wanted, the chain up to the CEK.

        The first chain of a root may take seconds: the emulated ASK and ARK are made then. A guest owner who knows
        this platform needs no chain to launch. INVALID_PLATFORM_STATE.
        """
        if chain:
            # Before the command, which keeps all others waiting.
            self.root.prepare()
        return self._pdh_cert_export(chain=chain)

    @command(CommandId.PDH_CERT_EXPORT)
    def _pdh_cert_export(self, *, chain: bool) -> PdhCertExport:
        identity = self._identity
        certificates = (identity.pek, identity.oca, identity.cek()) if chain else ()
        return PdhCertExport(
            pdh=identity.pdh.to_bytes(), chain=b"".join(certificate.to_bytes() for certificate in certificates)
        )

    @command(CommandId.GET_ID)
    def get_id(self) -> bytes:
        """GET_ID: the chip's id, 64 bytes."""
        return self._identity.chip_id

    @command(CommandId.DF_FLUSH)
    def df_flush(self) -> None:
        """DF_FLUSH: after it, ASIDs that were released serve again. INVALID_PLATFORM_STATE, WBINVD_REQUIRED."""
        if not self._asids.df_flush():
            raise refusal(CommandId.DF_FLUSH, Status.WBINVD_REQUIRED, "execute WBINVD on all cores first")

    def wbinvd(self) -> None:
        """Not a command: all cores of the host have executed WBINVD, and the firmware sees so."""
        with self._lock:
            self._asids.wbinvd()
