"""Remote attestation in the words of RFC 9334: evidence, endorsements, reference values, claims, findings, verdict.

Evidence is what a guest, its platform or its cloud says of itself; endorsements are what manufacturers say of their
hardware (certificates, revocation lists, TCB information); reference values are what the administrator expects. A
verifier turns the three into a verdict. Untrusted is a verdict too: an exception means malformed input only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from confvm_gui.domain.event import Severity

if TYPE_CHECKING:
    from confvm_gui.sev.key_material import TransportKey


_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})


class EvidenceFormat(StrEnum):
    """What a piece of evidence is."""

    SNP_REPORT = "snp-report"
    """AMD SEV-SNP ATTESTATION_REPORT, 0x4A0 bytes (56860, table 23)."""
    SEV_LAUNCH = "sev-launch"
    """A LAUNCH_MEASURE result with what it binds, as JSON in libvirt's names (55766, LAUNCH_MEASURE)."""
    SEV_REPORT = "sev-report"
    """Attestation report of the SEV firmware, signed by the PEK (55766, ATTESTATION)."""
    SEV_PLATFORM = "sev-platform"
    """Certificates of a SEV platform: PDH, PEK, OCA, CEK in 55766's binary format, concatenated."""
    TDX_QUOTE = "tdx-quote"
    """Intel TDX quote, version 4 or 5."""
    SGX_QUOTE = "sgx-quote"
    """Intel SGX ECDSA quote, version 3."""
    TPM_QUOTE = "tpm-quote"
    """TPM 2.0 quote (TPMS_ATTEST) with signature, PCR values and, if given, event log."""
    GCE_VTPM = "gce-vtpm"
    """Google Compute Engine's vTPM attestation: a protobuf of quotes, event log and AK certificate."""
    GCE_INTEGRITY = "gce-integrity"
    """Compute Engine's integrity log as Cloud Logging gives it, JSON. Google says it; nobody signs it."""
    AZURE_VTPM = "azure-vtpm"
    """Azure's confidential VM evidence: HCL report over an SNP or TDX report, vTPM quote; JSON."""
    AZURE_HCL = "azure-hcl"
    """Azure's HCL report alone, as it stands in the vTPM's NV index 0x01400001."""
    NITRO = "nitro"
    """AWS Nitro attestation document (enclave or NitroTPM): CBOR in COSE_Sign1."""
    TCG_EVENT_LOG = "tcg-event-log"
    """A TCG PC Client event log alone, SHA-1 or crypto agile. Nobody signs it."""
    CC_EVENT_LOG = "cc-event-log"
    """A confidential computing event log (CCEL) alone. Nobody signs it."""
    CANONICAL_EVENT_LOG = "canonical-event-log"
    """A TCG canonical event log (CEL) in TLV encoding, alone. Nobody signs it."""


class EvidencePart(StrEnum):
    """What may stand beside the main bytes of evidence, each in a file of its own."""

    SIGNATURE = "signature"
    """TPMT_SIGNATURE over a TPM quote, or the bare signature of the AK's scheme."""
    PCRS = "pcrs"
    """PCR values of a TPM quote: JSON `{"sha256": {"0": "hex"}}`, or the digests one after the other."""
    EVENT_LOG = "event-log"
    """TCG PC Client event log."""
    CC_EVENT_LOG = "cc-event-log"
    """Event log of the RTMRs (CCEL data area)."""
    AK_PUBLIC = "ak-public"
    """Attestation key: PEM or DER SubjectPublicKeyInfo, TPM2B_PUBLIC or TPMT_PUBLIC."""
    AK_CERTIFICATE = "ak-certificate"
    """Certificate of the attestation key, DER or PEM, those of its issuers behind it."""
    TD_QUOTE = "td-quote"
    """TDX quote that vouches for an Azure HCL report over a TD report."""
    TPM_QUOTE = "tpm-quote"
    """Quote of the vTPM that an Azure HCL report vouches for, in one of the forms of a TPM_QUOTE."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bytes that a guest or platform gave."""

    data: bytes
    format: EvidenceFormat | None = None
    """None: recognised by content."""
    parts: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING)
    """Keyed by EvidencePart."""


@dataclass(frozen=True, slots=True)
class Endorsements:
    """What manufacturers and clouds say. Order does not matter; what does not fit the evidence is not used."""

    certificates: tuple[bytes, ...] = ()
    """X.509, DER."""
    crls: tuple[bytes, ...] = ()
    """X.509 revocation lists, DER."""
    amd_certificates: tuple[bytes, ...] = ()
    """ARK and ASK in AMD's binary format (55766, appendix B), and CEK, OCA, PEK, PDH (appendix C)."""
    documents: tuple[bytes, ...] = ()
    """Signed JSON of Intel's PCS: `{"tcbInfo": …, "signature": …}` and `{"enclaveIdentity": …, "signature": …}`."""

    def __add__(self, other: Endorsements) -> Endorsements:
        return Endorsements(
            self.certificates + other.certificates,
            self.crls + other.crls,
            self.amd_certificates + other.amd_certificates,
            self.documents + other.documents,
        )


class EndorsementKind(Enum):
    """What is still to be fetched."""

    VCEK = "vcek"
    VLEK = "vlek"
    CERTIFICATE_CHAIN = "certificate-chain"
    CRL = "crl"
    TCB_INFO = "tcb-info"
    QE_IDENTITY = "qe-identity"


@dataclass(frozen=True, slots=True)
class EndorsementNeed:
    """Something that the evidence needs, with the address at which its manufacturer publishes it."""

    kind: EndorsementKind
    url: str
    chain_header: str = ""
    """Name of the HTTP response header that carries the issuer's certificates (Intel PCS), or ""."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A key that is believed without anybody vouching for it. At least one fingerprint is given."""

    name: str
    """For a person: `AMD ARK-Milan`."""
    spki_sha256: str = ""
    """SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex."""
    certificate_sha256: str = ""
    """SHA-256 of the whole certificate, lower-case hex."""
    emulated: bool = False
    """Made by an emulator: proves nothing about hardware, and every verdict says so."""
    self_signed: bool = True
    """Its certificate is signed by itself, and must be: False for an authority that is believed without its root."""


ClaimValue = str | int | bool | tuple[str, ...]


class Claim(NamedTuple):
    """One statement that the evidence makes. To be believed only if the verdict is trusted.

    A tuple, because a verdict has a hundred of them, and making them must not take as long as the cryptography.
    """

    name: str
    """Dotted, lower case: `measurement`, `policy.debug`, `reported_tcb.snp`, `pcr.sha256.7` …"""
    value: ClaimValue
    """Bytes are lower-case hex."""
    source: str
    """Where it stands: `SNP report 0x090`, `VCEK`, `event log, PCR 8` …"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold (ERROR), or that the administrator must decide (WARNING), or should know (INFO)."""

    code: str
    """Stable, for machines: `signature-invalid`, `certificate-expired` …; `attestation.codes` explains each."""
    severity: Severity
    expected: str
    actual: str
    source: str
    """The step or field: `SNP report signature`, `VCEK`, `PCR 7 (sha256)` …"""


@dataclass(frozen=True, slots=True)
class TrustLink:
    """One link of a chain that was walked, root first, for a picture of who vouches for whom."""

    name: str
    """`ARK-Milan`, `Intel SGX PCK Certificate`, `SNP report` …"""
    issuer: str
    """Name of the link that vouches for it; its own for a root; "" if nobody was found."""
    verified: bool
    """Whether the issuer's signature over it holds (for a root: whether it is pinned)."""
    fingerprint: str = ""
    """SHA-256 of the certificate, hex, or "" for evidence."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    emulated: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier found. All findings, not the first."""

    format: EvidenceFormat
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    links: tuple[TrustLink, ...] = ()
    at: datetime | None = None
    """The time that it was asked for."""

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it: no finding is an ERROR."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def emulated(self) -> bool:
        """Whether the trust ends in an emulated root."""
        return any(link.emulated for link in self.links)

    def claim(self, name: str) -> ClaimValue | None:
        """Value of the claim, or None if the evidence does not make it."""
        return next((claim.value for claim in self.claims if claim.name == name), None)

    def claim_values(self) -> dict[str, ClaimValue]:
        """All claims by name."""
        return {claim.name: claim.value for claim in self.claims}


@dataclass(frozen=True, slots=True)
class ReferenceValues:
    """What the administrator expects. Empty reference values still refuse what nobody should trust."""

    report_data: bytes | None = None
    """Nonce or hash that the evidence must carry. Shorter than the field: the rest of the field must be zeros."""
    measurements: tuple[bytes, ...] = ()
    """Accepted values of the format's `measurement` claim (launch digest, MRTD, MRENCLAVE, PCR 0 …)."""
    expected: Mapping[str, tuple[ClaimValue, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Claim name → accepted values."""
    forbidden: Mapping[str, tuple[ClaimValue, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Claim name → values that are refused: chips, products, measurements."""
    minimum: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Claim name → floor, each component by itself: `reported_tcb.snp`, `guest_svn`, `isv_svn` …"""
    allow_debug: bool = False
    """Accept guests whose memory the host may read by policy."""
    allow_provisional: bool | None = None
    """Firmware that is not committed: accept (True), refuse (False), or warn (None)."""
    require_revocation: bool = False
    """Make it an error that revocation could not be checked."""
    accepted_tcb_statuses: tuple[str, ...] = ()
    """Intel TCB statuses that are accepted beside UpToDate. Empty: those that need only configuration or software
    hardening are accepted with a warning, outdated ones refused. A status named here is accepted."""
    trusted_roots: tuple[TrustedRoot, ...] = ()
    """Believed beside the roots that the console pins."""
    trusted_keys: frozenset[str] = frozenset()
    """SHA-256 of SubjectPublicKeyInfo, hex, of attestation keys that were vouched for by other means."""
    host_runs_tpm: bool = False
    """The TPM is the host's own: its key is taken on its word, with a warning. A baseline tells of another key."""
    launch_key: TransportKey | None = None
    """TIK of the launch session, for a SEV launch measurement."""
