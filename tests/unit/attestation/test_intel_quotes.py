"""TDX and SGX quotes under an Intel made here: TCB levels, identities, revocation, debug TDs: no vector has them."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.attestation.dcap.collateral import TcbLevel, parse_collateral, signed_document
from confvm_gui.attestation.dcap.quote import INTEL_QE_VENDOR
from confvm_gui.attestation.dcap.tcb import TcbStatus
from confvm_gui.domain.attestation import Endorsements, ReferenceValues, Verdict
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.der import Tag, encode, encode_integer
from tests.unit.attestation.authority import NOW, Party, issue, key_usage, p256_key, revocation_list
from tests.unit.attestation.evidence_files import errors, judge, warnings

FMSPC = bytes.fromhex("90c06f000000")
AUTHORITY = key_usage(certificates=True, lists=True)
OID_SGX = "1.2.840.113741.1.13.1"
TEE_TCB_SVN = bytes((7, 1, 3)) + bytes(13)
SGX_SVNS = (2, 2, 2, 2, 3, 1, 0, 5) + (0,) * 8


@dataclass
class Intel:
    """Intel's hierarchy, one platform, and what the PCS says of it."""

    root: Party = field(
        default_factory=lambda: issue("Intel SGX Root CA", p256_key("root"), authority=True, usage=AUTHORITY)
    )
    pce_svn: int = 11

    def __post_init__(self) -> None:
        self.platform = issue(
            "Intel SGX PCK Platform CA", p256_key("ca"), self.root, authority=True, usage=AUTHORITY, serial=0x21
        )
        self.signer = issue("Intel SGX TCB Signing", p256_key("signer"), self.root, serial=0x22)
        self.pck = issue(
            "Intel SGX PCK Certificate",
            p256_key("pck"),
            self.platform,
            serial=0x23,
            extensions={OID_SGX: pck_extension(self.pce_svn)},
        )

    def reference(self, **changes: Any) -> ReferenceValues:
        return replace(ReferenceValues(trusted_roots=(self.root.root(),)), **changes)

    def document(self, kind: str, value: dict[str, Any]) -> bytes:
        inner = json.dumps(value, separators=(",", ":"))
        return signed_document(kind, inner, raw_signature(self.signer.key, inner.encode()).hex())

    def endorsements(self, *documents: bytes, lists: tuple[bytes, ...] | None = None) -> Endorsements:
        crls = lists if lists is not None else (revocation_list(self.root), revocation_list(self.platform))
        certificates = (self.signer.der, self.platform.der, self.root.der)
        return Endorsements(certificates, crls, documents=documents)


def pck_extension(pce_svn: int) -> bytes:
    def pair(suffix: str, value: bytes) -> bytes:
        return encode(Tag.SEQUENCE, oid(f"{OID_SGX}.{suffix}") + value)

    parts = [pair(f"2.{index}", encode_integer(svn)) for index, svn in enumerate(SGX_SVNS, start=1)]
    parts += [pair("2.17", encode_integer(pce_svn)), pair("2.18", encode(Tag.OCTET_STRING, bytes(SGX_SVNS)))]
    return encode(
        Tag.SEQUENCE,
        pair("1", encode(Tag.OCTET_STRING, bytes(16)))
        + pair("2", encode(Tag.SEQUENCE, b"".join(parts)))
        + pair("3", encode(Tag.OCTET_STRING, bytes(2)))
        + pair("4", encode(Tag.OCTET_STRING, FMSPC))
        + pair("5", encode(Tag.ENUMERATED, b"\1")),
    )


def oid(dotted: str) -> bytes:
    numbers = [int(part) for part in dotted.split(".")]
    content = bytes((40 * numbers[0] + numbers[1],))
    for number in numbers[2:]:
        encoded = [number & 0x7F]
        while number := number >> 7:
            encoded.append(number & 0x7F | 0x80)
        content += bytes(reversed(encoded))
    return encode(Tag.OID, content)


def raw_signature(key: object, data: bytes) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def enclave_report(
    report_data: bytes, *, mr_signer: bytes = b"\xdc" * 32, isv_svn: int = 4, flags: int = 0x11, prod_id: int = 2
) -> bytes:
    attributes = flags.to_bytes(8, "little") + bytes(8)
    report = bytes(16) + bytes(4 + 12 + 16) + attributes + b"\xe1" * 32 + bytes(32) + mr_signer + bytes(32 + 64)
    report += prod_id.to_bytes(2, "little") + isv_svn.to_bytes(2, "little") + bytes(2 + 42 + 16)
    return report + report_data.ljust(64, b"\0")


def td_body(
    *, attributes: int = 1 << 28, seam_attributes: int = 0, tcb: bytes = TEE_TCB_SVN, new: bool = False
) -> bytes:
    body = tcb + b"\x51" * 48 + bytes(48) + seam_attributes.to_bytes(8, "little") + attributes.to_bytes(8, "little")
    body += (0xE7).to_bytes(8, "little") + b"\x44" * 48 + bytes(48 * 3) + b"\x01" * 48 + bytes(48 * 3)
    body += b"nonce".ljust(64, b"\0")
    return body + (bytes(16 + 48) if new else b"")


def quote(
    intel: Intel,
    body: bytes,
    *,
    version: int = 4,
    tee: int = 0x81,
    qe: dict[str, Any] | None = None,
    key_type: int = 2,
    vendor: bytes = INTEL_QE_VENDOR,
    certification: tuple[int, bytes] | None = None,
    bound: bytes | None = None,
) -> bytes:
    key = p256_key("attestation")
    header = version.to_bytes(2, "little") + key_type.to_bytes(2, "little") + tee.to_bytes(4, "little")
    header += bytes(4) + vendor + bytes(20)
    if version == 5:
        header += {584: 2, 648: 3, 384: 1}[len(body)].to_bytes(2, "little") + len(body).to_bytes(4, "little")
    signed = header + body
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    auth = bytes(range(32))
    report = enclave_report(hashlib.sha256(public + auth).digest() if bound is None else bound, **(qe or {}))
    kind, chain = certification or (5, b"".join(pem(raw) for raw in intel.pck.chain()) + b"\0")
    inner = report + raw_signature(intel.pck.key, report) + len(auth).to_bytes(2, "little") + auth
    inner += kind.to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
    data = raw_signature(key, signed) + public
    data += (6).to_bytes(2, "little") + len(inner).to_bytes(4, "little") + inner if version > 3 else inner
    return signed + len(data).to_bytes(4, "little") + data


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def level(status: str, *, tdx: tuple[int, ...] = (5, 0, 3), pce_svn: int = 11, sgx: tuple[int, ...] = SGX_SVNS) -> Any:
    tcb: dict[str, Any] = {"sgxtcbcomponents": [{"svn": svn} for svn in sgx], "pcesvn": pce_svn}
    if tdx:
        tcb["tdxtcbcomponents"] = [{"svn": svn} for svn in (*tdx, *(0,) * (16 - len(tdx)))]
    return {"tcb": tcb, "tcbDate": "2024-03-13T00:00:00Z", "tcbStatus": status, "advisoryIDs": ["INTEL-SA-1"]}


def svn_level(svn: int, status: str) -> dict[str, Any]:
    return {"tcb": {"isvsvn": svn}, "tcbDate": "2023-08-09T00:00:00Z", "tcbStatus": status}


def tcb_info(*levels: Any, modules: list[Any] | None = None, kind: str = "TDX", **changes: Any) -> dict[str, Any]:
    module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    value = {
        "id": kind,
        "version": 3,
        "issueDate": f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "nextUpdate": f"{NOW + timedelta(days=29):%Y-%m-%dT%H:%M:%SZ}",
        "fmspc": FMSPC.hex().upper(),
        "pceId": "0000",
        "tcbEvaluationDataNumber": 17,
        "tcbLevels": list(levels),
    }
    if kind == "TDX":
        value["tdxModule"] = module
        value["tdxModuleIdentities"] = (
            modules if modules is not None else [{"id": "TDX_01", **module, "tcbLevels": [svn_level(4, "UpToDate")]}]
        )
    return value | changes


def qe_identity(*levels: Any, kind: str = "TD_QE", **changes: Any) -> dict[str, Any]:
    value = {
        "id": kind,
        "version": 2,
        "issueDate": f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "nextUpdate": f"{NOW + timedelta(days=29):%Y-%m-%dT%H:%M:%SZ}",
        "tcbEvaluationDataNumber": 17,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11" + "00" * 15,
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": "DC" * 32,
        "isvprodid": 2,
        "tcbLevels": list(levels) or [svn_level(4, "UpToDate")],
    }
    return value | changes


@pytest.fixture(scope="module")
def intel() -> Intel:
    return Intel()


def judged(intel: Intel, data: bytes, info: Any = None, identity: Any = None, **changes: Any) -> Verdict:
    documents = (
        intel.document("tcbInfo", info or tcb_info(level("UpToDate"))),
        intel.document("enclaveIdentity", identity or qe_identity()),
    )
    return judge(data, intel.endorsements(*documents), intel.reference(**changes))


@pytest.mark.parametrize(("version", "new"), [(4, False), (5, False), (5, True)])
def test_all_is_well(intel: Intel, version: int, new: bool) -> None:
    reference = {"report_data": b"nonce", "measurements": (b"\x44" * 48,)}
    verdict = judged(intel, quote(intel, td_body(new=new), version=version), **reference)

    assert verdict.trusted
    assert [finding.code for finding in verdict.findings] == ["advisories"]
    assert verdict.claim("tcb_status") == "UpToDate"
    assert verdict.claim("tdx_version") == ("1.5" if new else "1.0")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"attributes": 1 << 28 | 1}, "debug-allowed"),
        ({"attributes": 1 << 28 | 1 << 4}, "debug-allowed"),
        ({"attributes": 1 << 12}, "reserved-not-zero"),
        ({"seam_attributes": 1}, "reserved-not-zero"),
    ],
)
def test_tds_that_are_not_for_production(intel: Intel, body: dict[str, Any], expected: str) -> None:
    verdict = judged(intel, quote(intel, td_body(**body)))
    assert expected in errors(verdict)
    if expected == "debug-allowed":
        assert judged(intel, quote(intel, td_body(**body)), allow_debug=True).trusted


def test_no_level_matches(intel: Intel) -> None:
    """The manifest's outdated platform: FMSPC 90c06f000000, TEE_TCB_SVN 07 01 03, older than all levels."""
    verdict = judged(intel, quote(intel, td_body()), tcb_info(level("UpToDate", tdx=(5, 0, 4))))
    assert errors(verdict) == {"tcb-not-found"}
    assert "tcb-not-found" in errors(judged(intel, quote(intel, td_body()), tcb_info(level("UpToDate", pce_svn=12))))
    too_new = (3, *SGX_SVNS[1:])
    assert "tcb-not-found" in errors(judged(intel, quote(intel, td_body()), tcb_info(level("UpToDate", sgx=too_new))))


def test_components_of_the_module_are_its_own_business(intel: Intel) -> None:
    """With TEE_TCB_SVN[1] > 0 the first two components are compared with the module's identity only."""
    info = tcb_info(level("UpToDate", tdx=(200, 200, 3)))
    assert judged(intel, quote(intel, td_body()), info).trusted
    old = quote(intel, td_body(tcb=bytes((7, 0, 3)) + bytes(13)))
    assert "tcb-not-found" in errors(judged(intel, old, info))
    assert judged(intel, old, tcb_info(level("UpToDate", tdx=(7, 0, 3)))).trusted


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ([], "module-mismatch"),
        ([("TDX_03", {}, 4, "UpToDate")], "module-mismatch"),
        ([("TDX_01", {"mrsigner": "11" * 48}, 4, "UpToDate")], "module-mismatch"),
        ([("TDX_01", {"attributes": "01" + "00" * 7}, 4, "UpToDate")], "module-mismatch"),
        ([("TDX_01", {}, 8, "UpToDate")], "tcb-not-found"),
        ([("TDX_01", {}, 4, "OutOfDate")], "tcb-out-of-date"),
        ([("TDX_01", {}, 4, "Revoked")], "tcb-revoked"),
    ],
)
def test_the_tdx_module_has_an_identity(intel: Intel, modules: list[Any], expected: str) -> None:
    base = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    written = [
        {"id": name} | base | other | {"tcbLevels": [svn_level(svn, status)]} for name, other, svn, status in modules
    ]
    verdict = judged(intel, quote(intel, td_body()), tcb_info(level("UpToDate"), modules=written))
    assert expected in errors(verdict)


@pytest.mark.parametrize(
    ("status", "error", "warning"),
    [
        ("OutOfDate", "tcb-out-of-date", None),
        ("OutOfDateConfigurationNeeded", "tcb-out-of-date", None),
        ("Revoked", "tcb-revoked", None),
        ("SWHardeningNeeded", None, "tcb-needs-hardening"),
        ("ConfigurationNeeded", None, "tcb-needs-hardening"),
        ("SomethingNew", "tcb-out-of-date", None),
    ],
)
def test_statuses(intel: Intel, status: str, error: str | None, warning: str | None) -> None:
    verdict = judged(intel, quote(intel, td_body()), tcb_info(level(status)))
    assert errors(verdict) == ({error} if error else set())
    assert warning is None or warning in warnings(verdict)
    if error == "tcb-out-of-date":
        accepted = judged(intel, quote(intel, td_body()), tcb_info(level(status)), accepted_tcb_statuses=(status,))
        assert accepted.trusted


@pytest.mark.parametrize(
    ("mine", "part", "merged"),
    [
        ("UpToDate", "OutOfDate", "OutOfDate"),
        ("SWHardeningNeeded", "OutOfDate", "OutOfDate"),
        ("ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"),
        ("ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"),
        ("OutOfDate", "UpToDate", "OutOfDate"),
        ("UpToDate", "Revoked", "Revoked"),
        ("UpToDate", "SWHardeningNeeded", "SWHardeningNeeded"),
        ("Revoked", "UpToDate", "Revoked"),
    ],
)
def test_statuses_are_merged(mine: str, part: str, merged: str) -> None:
    level_ = TcbLevel(part, "2024-01-01T00:00:00Z", ("B", "A"))
    result = TcbStatus(mine, "2024-06-01T00:00:00Z", ("A",)).merged(level_)
    assert (result.status, result.advisories, result.date) == (merged, ("A", "B"), "2024-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("qe", "identity"),
    [
        ({"mr_signer": b"\1" * 32}, {}),
        ({"prod_id": 7}, {}),
        ({"flags": 0x13}, {}),
        ({}, {"mrsigner": "AA" * 32}),
        ({}, {"miscselect": "00000001"}),
    ],
)
def test_the_quoting_enclave_must_be_intels(intel: Intel, qe: dict[str, Any], identity: dict[str, Any]) -> None:
    verdict = judged(intel, quote(intel, td_body(), qe=qe), identity=qe_identity(**identity))
    assert "qe-identity-mismatch" in errors(verdict)


def test_an_old_quoting_enclave(intel: Intel) -> None:
    levels = (svn_level(8, "UpToDate"), svn_level(2, "OutOfDate"))
    assert "tcb-out-of-date" in errors(judged(intel, quote(intel, td_body()), identity=qe_identity(*levels)))
    assert "tcb-not-found" in errors(
        judged(intel, quote(intel, td_body()), identity=qe_identity(svn_level(8, "UpToDate")))
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key_type": 3}, "signature-algorithm"),
        ({"vendor": bytes(16)}, "field-invalid"),
        ({"bound": bytes(32)}, "binding-broken"),
        ({"certification": (1, b"encrypted PPID")}, "signer-missing"),
    ],
)
def test_quotes_that_do_not_hold_together(intel: Intel, changes: dict[str, Any], expected: str) -> None:
    assert expected in errors(judged(intel, quote(intel, td_body(), **changes)))


def test_the_pck_certificate_may_come_as_an_endorsement(intel: Intel) -> None:
    data = quote(intel, td_body(), certification=(1, b"encrypted PPID"))
    endorsements = intel.endorsements() + Endorsements((intel.pck.der,))
    assert judge(data, endorsements, intel.reference()).trusted


@pytest.mark.parametrize(("issuer", "serial"), [("platform", 0x23), ("root", 0x21), ("root", 0x22)])
def test_revoked(intel: Intel, issuer: str, serial: int) -> None:
    party: Party = getattr(intel, issuer)
    others = [revocation_list(item) for item in (intel.root, intel.platform) if item is not party]
    lists = (revocation_list(party, {serial: NOW - timedelta(days=2)}), *others)
    documents = (
        intel.document("tcbInfo", tcb_info(level("UpToDate"))),
        intel.document("enclaveIdentity", qe_identity()),
    )
    verdict = judge(quote(intel, td_body()), intel.endorsements(*documents, lists=lists), intel.reference())
    assert errors(verdict) == {"certificate-revoked"}


def test_documents_that_somebody_else_signed(intel: Intel) -> None:
    other = Intel()
    other.signer = replace(intel.signer, key=p256_key("somebody"))
    documents = (
        other.document("tcbInfo", tcb_info(level("UpToDate"))),
        intel.document("enclaveIdentity", qe_identity()),
    )
    verdict = judge(quote(intel, td_body()), intel.endorsements(*documents), intel.reference())
    assert errors(verdict) == {"signature-invalid"}


def test_a_damaged_document_is_a_finding(intel: Intel) -> None:
    documents = (b'{"tcbInfo":{},"signature":"' + b"0" * 128 + b'"}', b"{")
    verdict = judge(quote(intel, td_body()), intel.endorsements(*documents), intel.reference())
    assert errors(verdict) == {"collateral-malformed"}


def test_the_newest_of_several_documents_counts(intel: Intel) -> None:
    documents = (
        intel.document("tcbInfo", tcb_info(level("UpToDate"), tcbEvaluationDataNumber=16)),
        intel.document("tcbInfo", tcb_info(level("OutOfDate"), tcbEvaluationDataNumber=17)),
        intel.document("enclaveIdentity", qe_identity()),
    )
    verdict = judge(quote(intel, td_body()), intel.endorsements(*documents), intel.reference())
    assert verdict.claim("tcb_status") == "OutOfDate"


def test_sgx_quote_version_3(intel: Intel) -> None:
    body = enclave_report(b"nonce", flags=0x5)
    data = quote(intel, body, version=3, tee=0)
    info = tcb_info(level("UpToDate", tdx=()), kind="SGX")
    verdict = judged(intel, data, info, qe_identity(kind="QE"), report_data=b"nonce", measurements=(b"\xe1" * 32,))
    assert verdict.trusted
    assert "not-expected" not in " ".join(warnings(verdict))

    debug = quote(intel, enclave_report(b"", flags=0x7), version=3, tee=0)
    assert "debug-allowed" in errors(judged(intel, debug, info, qe_identity(kind="QE")))
    raw = quote(intel, enclave_report(b"", flags=0x4), version=3, tee=0)
    assert "field-invalid" in errors(judged(intel, raw, info, qe_identity(kind="QE")))


@pytest.mark.parametrize(
    "value",
    [
        tcb_info(level("UpToDate"), version=2),
        tcb_info(level("UpToDate"), fmspc="00"),
        tcb_info(level("UpToDate"), nextUpdate="tomorrow"),
        tcb_info({"tcb": {"sgxtcbcomponents": []}, "tcbDate": "", "tcbStatus": ""}),
        tcb_info(level("UpToDate"), tcbLevels="none"),
        {},
    ],
)
def test_malformed_documents(intel: Intel, value: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_collateral(intel.document("tcbInfo", value))
