"""The vTPM of one embedded guest, from power-on to power-off: PCRs, event log, and quotes by its attestation key.

It holds what the host measured before the guest ran. The attestation key never leaves the process, and its
certificate ends in an emulated root: a verdict on these quotes is never one on hardware.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Final, NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from confvm_gui.domain.attestation import Evidence, EvidenceFormat, EvidencePart
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.engine.vtpm.authority import VtpmAuthority, key_fingerprint
from confvm_gui.engine.vtpm.event_log import EventLogWriter, MeasuredEvent
from confvm_gui.engine.vtpm.measured_boot import MeasuredBoot
from confvm_gui.engine.vtpm.pcr_banks import Bank, PcrBanks, require_pcr
from confvm_gui.engine.vtpm.tpm_structures import (
    ak_public,
    ecdsa_signature,
    pcr_selection,
    qualified_name,
    quote_attest,
    sized,
)

DEFAULT_PCRS: Final = tuple(range(16))
"""Firmware, boot and operating system; not those for debugging and dynamic launches."""
EMULATED_FIRMWARE: Final = int.from_bytes(b"EMULATED", "big")
"""firmwareVersion: whoever looks at the hex sees what made this."""
MAX_NONCE: Final = 50
"""Bytes of TPM2B_DATA: a TPMT_HA of the largest hash, SHA-384."""


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """One quote with all that is needed to verify it. Nothing in it is secret."""

    attest: bytes
    """TPMS_ATTEST: what was signed."""
    signature: bytes
    """TPMT_SIGNATURE."""
    pcrs: bytes
    """Digests of the quoted PCRs, bank by bank, one after the other."""
    ak_public: bytes
    """TPM2B_PUBLIC."""
    ak_certificate: bytes
    """PEM: the attestation key's certificate, the emulated root's behind it."""
    event_log: bytes

    def as_evidence(self) -> Evidence:
        """For a verifier."""
        return Evidence(
            self.attest,
            EvidenceFormat.TPM_QUOTE,
            MappingProxyType(
                {
                    EvidencePart.SIGNATURE: self.signature,
                    EvidencePart.PCRS: self.pcrs,
                    EvidencePart.EVENT_LOG: self.event_log,
                    EvidencePart.AK_PUBLIC: self.ak_public,
                    EvidencePart.AK_CERTIFICATE: self.ak_certificate,
                }
            ),
        )


class VirtualTpm:
    """Made by `power_on`. Its methods may be called on any thread."""

    __slots__ = (
        "_authority",
        "_banks",
        "_certificate",
        "_instance",
        "_key",
        "_lock",
        "_log",
        "_public",
        "_resets",
        "_since",
    )

    def __init__(self, authority: VtpmAuthority, instance: str, resets: int) -> None:
        """A vTPM after a reset, before anything was measured. Use `power_on`."""
        self._authority = authority
        self._instance = instance
        self._resets = resets
        self._key = authority.attestation_key(instance)
        numbers = self._key.public_key().public_numbers()
        self._public = ak_public(numbers.x, numbers.y)
        self._certificate = b""
        self._banks = PcrBanks()
        self._log = EventLogWriter()
        self._lock = Lock()
        self._since = time.monotonic_ns()

    def __repr__(self) -> str:
        return f"<VirtualTpm of {self._instance}, keys not shown>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a VirtualTpm is neither pickled nor copied")

    @classmethod
    def power_on(
        cls, boot: MeasuredBoot, authority: VtpmAuthority, *, instance: str = "guest", resets: int = 0
    ) -> VirtualTpm:
        """The vTPM of `instance` (its id) with `boot` measured; `resets` is how often it was started before.

        Hashes the guest image and, the first time, makes certificates: up to a few tenths of a second, not on the GUI
        thread.
        """
        tpm = cls(authority, instance, resets)
        for event in boot.events(authority.secure_boot_keys):
            tpm.extend(event)
        return tpm

    @property
    def event_log(self) -> bytes:
        """All that was measured so far: a TCG PC Client crypto-agile log."""
        with self._lock:
            return self._log.to_bytes()

    @property
    def ak_fingerprint(self) -> str:
        """SHA-256 of the attestation key's SubjectPublicKeyInfo, hex: the claim `ak.fingerprint` of its quotes."""
        return key_fingerprint(self._key.public_key())

    def pcrs(self, bank: Bank = Bank.SHA256) -> Mapping[int, bytes]:
        """What the PCRs that are quoted by default hold now."""
        with self._lock:
            return {pcr: self._banks.value(bank, pcr) for pcr in DEFAULT_PCRS}

    def extend(self, event: MeasuredEvent) -> None:
        """Measure one more thing, in all banks, and log it; InvalidInput("pcr")."""
        digests = event.digests()
        with self._lock:
            self._banks.extend(event.pcr, digests)
            self._log.add(event, digests)

    def quote(
        self, nonce: bytes, pcrs: Sequence[int] = DEFAULT_PCRS, banks: Sequence[Bank] = (Bank.SHA256,)
    ) -> TpmQuote:
        """TPM2_Quote (part 3, section 18.4) of `pcrs` in each of `banks`, with `nonce` as qualifyingData.

        InvalidInput("nonce") if it is longer than MAX_NONCE, ("pcr") if there is no such PCR or none at all.
        """
        if len(nonce) > MAX_NONCE:
            raise InvalidInput("nonce", f"The nonce has {len(nonce)} bytes; a TPM takes at most {MAX_NONCE}")
        chosen = sorted({require_pcr(pcr) for pcr in pcrs})
        if not chosen or not banks:
            raise InvalidInput("pcr", "A quote is of one PCR at least; choose some")
        wanted = tuple(dict.fromkeys(banks))
        with self._lock:
            values = b"".join(self._banks.value(bank, pcr) for bank in wanted for pcr in chosen)
            log = self._log.to_bytes()
        attest = quote_attest(
            signer=qualified_name(self._public),
            nonce=nonce,
            clock_ms=(time.monotonic_ns() - self._since) // 1_000_000,
            resets=self._resets,
            firmware=EMULATED_FIRMWARE,
            selection=pcr_selection(wanted, chosen),
            digest=Bank.SHA256.digest(values),  # the hash of the signing scheme
        )
        r, s = decode_dss_signature(self._key.sign(attest, ec.ECDSA(hashes.SHA256())))
        return TpmQuote(
            attest=attest,
            signature=ecdsa_signature(r, s),
            pcrs=values,
            ak_public=sized(self._public),
            ak_certificate=self._certificate_chain(),
            event_log=log,
        )

    def evidence(self, nonce: bytes) -> Evidence:
        """A fresh quote of the usual PCRs, for a verifier; InvalidInput("nonce")."""
        return self.quote(nonce).as_evidence()

    def _certificate_chain(self) -> bytes:
        if not self._certificate:  # two threads that meet here make the same one twice
            issued = self._authority.certify(self._key.public_key(), self._instance)
            self._certificate = self._authority.chain(issued)
        return self._certificate
