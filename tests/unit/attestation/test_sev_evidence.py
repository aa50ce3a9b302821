"""SEV and SEV-ES: launch measurements, platform certificates and the firmware's own report."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from confvm_gui.attestation.roots import AMD_ROOTS
from confvm_gui.attestation.sev.platform import ark_fingerprint
from confvm_gui.domain.attestation import Endorsements, EvidenceFormat, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion, launch_digest, launch_measure
from confvm_gui.sev.sev_certificate import SevCertificate
from tests.unit.attestation.authority import p384_key, rsa_key
from tests.unit.attestation.evidence_files import SEV, Vectors, errors, flip, judge, trusted_flips, warnings

VERSION = FirmwareVersion(1, 49, 6)
POLICY = GuestPolicy.from_int(3)
TIK = bytes(range(16))
DIGEST = launch_digest([b"firmware"])
NAPLES = f"{SEV}tests/naples/"


def launch(policy: GuestPolicy = POLICY, **changes: object) -> bytes:
    """What libvirt gives, in its names."""
    measured = launch_measure(TransportKey(TIK), version=VERSION, policy=policy, digest=DIGEST, mnonce=b"n" * 16)
    value = {
        "sev-measurement": base64.b64encode(measured.to_bytes()).decode(),
        "sev-api-major": VERSION.api_major,
        "sev-api-minor": VERSION.api_minor,
        "sev-build-id": VERSION.build,
        "sev-policy": policy.to_int(),
    }
    return json.dumps(value | changes).encode()


def owner(**changes: Any) -> ReferenceValues:
    return replace(ReferenceValues(measurements=(bytes(32), DIGEST), launch_key=TransportKey(TIK)), **changes)


class Platform:
    """ARK to PDH, made here."""

    def __init__(self) -> None:
        def key(name: str) -> ec.EllipticCurvePrivateKey:
            return p384_key(f"sev {name}")

        self.ark = self.amd(Usage.ARK, "sev ark", b"a", b"a")
        self.ask = self.amd(Usage.ASK, "sev ask", b"s", b"a")
        self.oca = SevCertificate.unsigned(Usage.OCA, key("oca").public_key(), algorithm=Algorithm.ECDSA_SHA256)
        self.oca = self.oca.signed(key("oca"), Usage.OCA)
        self.cek = SevCertificate.unsigned(Usage.CEK, key("cek").public_key(), algorithm=Algorithm.ECDSA_SHA256)
        self.cek = self.cek.signed(rsa_key("sev ask"), Usage.ASK, Algorithm.RSA_SHA256)
        pek = SevCertificate.unsigned(Usage.PEK, key("pek").public_key(), algorithm=Algorithm.ECDSA_SHA256)
        self.pek = pek.signed(key("oca"), Usage.OCA).signed(key("cek"), Usage.CEK)
        pdh = SevCertificate.unsigned(Usage.PDH, key("pdh").public_key(), algorithm=Algorithm.ECDH_SHA256)
        self.pdh = pdh.signed(key("pek"), Usage.PEK)

    @staticmethod
    def amd(usage: Usage, name: str, key_id: bytes, issuer: bytes) -> AmdCertificate:
        public: rsa.RSAPublicKey = rsa_key(name).public_key()
        unsigned = AmdCertificate.unsigned(usage, public, key_id=key_id * 16, certifying_id=issuer * 16)
        return unsigned.signed(rsa_key("sev ark"))

    def chain(self) -> bytes:
        """As PDH_CERT_EXPORT gives it: PDH, then PEK, OCA and CEK."""
        return b"".join(item.to_bytes() for item in (self.pdh, self.pek, self.oca, self.cek))

    def endorsements(self, *more: bytes) -> Endorsements:
        return Endorsements(amd_certificates=(self.ask.to_bytes() + self.ark.to_bytes(), *more))

    def root(self, *, emulated: bool = False) -> TrustedRoot:
        return TrustedRoot("Test ARK-Naples", ark_fingerprint(self.ark), emulated=emulated)

    def reference(self, **changes: Any) -> ReferenceValues:
        return replace(ReferenceValues(trusted_roots=(self.root(),)), **changes)


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform()


def test_a_launch_measurement() -> None:
    verdict = judge(launch(), reference=owner())
    assert verdict.format is EvidenceFormat.SEV_LAUNCH
    assert verdict.trusted
    assert verdict.claim("measurement") == DIGEST.hex()
    assert verdict.claim("policy.flags") == ("NODBG", "NOKS")
    assert warnings(verdict) == {"part-not-verified"}
    assert "TIK" not in repr(verdict).replace("(TIK)", "")


@pytest.mark.parametrize(
    ("data", "reference", "expected"),
    [
        (launch(), owner(measurements=(bytes(32),)), "measurement-mismatch"),
        (launch(), owner(measurements=()), "measurement-mismatch"),
        (launch(), owner(launch_key=None), "launch-key-missing"),
        (launch(), owner(launch_key=TransportKey(bytes(16))), "measurement-mismatch"),
        (launch(POLICY, **{"sev-policy": 7}), owner(), "measurement-mismatch"),
        (launch(POLICY, **{"sev-build-id": 7}), owner(), "measurement-mismatch"),
        (launch(GuestPolicy.from_int(2)), owner(), "debug-allowed"),
    ],
)
def test_launches_that_are_refused(data: bytes, reference: ReferenceValues, expected: str) -> None:
    assert expected in errors(judge(data, reference=reference))


def test_no_bit_of_a_measurement_can_be_changed() -> None:
    measured = json.loads(launch())
    blob = base64.b64decode(measured["sev-measurement"])

    def is_trusted(changed: bytes) -> bool:
        value = measured | {"sev-measurement": base64.b64encode(changed).decode()}
        return judge(json.dumps(value).encode(), reference=owner()).trusted

    assert is_trusted(blob)
    assert trusted_flips(blob, range(len(blob) * 8), is_trusted) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sev-measurement": "AAAA"},
        {"sev-measurement": 5},
        {"sev-api-major": 256},
        {"sev-api-minor": "one"},
        {"sev-policy": 1 << 32},
        {"sev-policy": 0x40},
        {"sev-policy": True},
    ],
)
def test_malformed_launches(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        judge(launch(**changes), reference=owner())


def test_a_launch_on_a_platform_that_is_known(platform: Platform) -> None:
    reference = owner(trusted_roots=(platform.root(),))
    verdict = judge(launch(), platform.endorsements(platform.chain()), reference)
    assert verdict.trusted
    assert "part-not-verified" not in warnings(verdict)


def test_platform_certificates(platform: Platform) -> None:
    verdict = judge(platform.chain(), platform.endorsements(), platform.reference())
    assert verdict.format is EvidenceFormat.SEV_PLATFORM
    assert verdict.trusted, verdict.findings
    assert {link.name for link in verdict.links if link.verified} == {"ARK", "ASK", "CEK", "PEK", "OCA", "PDH"}
    assert errors(judge(platform.chain(), platform.endorsements())) == {"root-not-trusted"}
    emulated = ReferenceValues(trusted_roots=(platform.root(emulated=True),))
    assert judge(platform.chain(), platform.endorsements(), emulated).emulated


def test_no_bit_of_a_platform_certificate_can_be_changed(platform: Platform) -> None:
    chain, endorsements, reference = platform.chain(), platform.endorsements(), platform.reference()
    bits = range(0, len(chain) * 8, 53)
    assert trusted_flips(chain, bits, lambda bad: judge(bad, endorsements, reference).trusted) == []


@pytest.mark.parametrize("name", ["pdh", "pek", "oca", "cek"])
def test_certificates_that_lack(platform: Platform, name: str) -> None:
    lacking: SevCertificate = getattr(platform, name)
    chain = b"".join(
        item.to_bytes() for item in (platform.pdh, platform.pek, platform.oca, platform.cek) if item is not lacking
    )
    assert "signer-missing" in errors(judge(chain, platform.endorsements(), platform.reference()))


def test_roots_that_lack(platform: Platform) -> None:
    for given in ((), (platform.ask.to_bytes(),), (platform.ark.to_bytes(),)):
        verdict = judge(platform.chain(), Endorsements(amd_certificates=given), platform.reference())
        assert "issuer-missing" in errors(verdict)


def test_an_oca_that_did_not_sign(platform: Platform) -> None:
    other = SevCertificate.unsigned(
        Usage.OCA, p384_key("other oca").public_key(), algorithm=Algorithm.ECDSA_SHA256
    ).signed(p384_key("other oca"), Usage.OCA)
    chain = b"".join(item.to_bytes() for item in (platform.pdh, platform.pek, other, platform.cek))
    assert errors(judge(chain, platform.endorsements(), platform.reference())) == {"certificate-signature"}


def test_two_different_certificates_for_one_use(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="two different"):
        judge(platform.chain() + flip(platform.pdh.to_bytes(), 0x414 * 8 + 300), platform.endorsements())


def test_the_firmwares_own_report(platform: Platform) -> None:
    report = AttestationReport(b"n" * 16, DIGEST, POLICY).signed(p384_key("sev pek")).to_bytes()
    endorsements = platform.endorsements(platform.chain())
    reference = platform.reference(report_data=b"n" * 16, measurements=(DIGEST,))

    verdict = judge(report, endorsements, reference)
    assert verdict.format is EvidenceFormat.SEV_REPORT
    assert verdict.trusted, verdict.findings
    bits = range(0, len(report) * 8, 3)
    assert trusted_flips(report, bits, lambda bad: judge(bad, endorsements, reference).trusted) == []
    assert errors(judge(report, platform.endorsements(), reference)) == {"signer-missing"}


@pytest.mark.vectors
def test_the_real_naples_platform(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    chain = b"".join(vectors.read(f"{NAPLES}{name}.cert") for name in ("pdh", "pek", "oca", "cek"))
    folder = f"{SEV}src/certs/sev/builtin/"
    endorsements = vectors.endorsements(f"{folder}naples/ark.cert", f"{folder}naples/ask.cert")

    verdict = judge(chain, endorsements)
    assert verdict.trusted, verdict.findings
    assert verdict.claim("root") == "AMD ARK-Naples"
    # The CEK of one generation fails under the ASK of another (enarx issue 520), and is found among several.
    for line in ("rome", "milan", "genoa", "turin"):
        other = vectors.endorsements(f"{folder}{line}/ark.cert", f"{folder}{line}/ask.cert")
        assert errors(judge(chain, other)) == {"certificate-signature"}
        assert judge(chain, other + endorsements).trusted


@pytest.mark.vectors
def test_the_naples_ark_without_its_signature(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    bare, signature = vectors.read(f"{NAPLES}ark.cert.bad"), vectors.read(f"{NAPLES}ark.cert.sig")
    with pytest.raises(InvalidInput):
        vectors.endorsements(f"{NAPLES}ark.cert.bad")
    ark = AmdCertificate.parse(bare + signature)
    assert ark.is_signed_by(ark)
    assert ark.to_bytes() == vectors.read(f"{SEV}src/certs/sev/builtin/naples/ark.cert")


@pytest.mark.vectors
@pytest.mark.parametrize("line", ["naples", "rome", "milan", "genoa", "turin"])
def test_the_binary_arks_are_pinned(vectors_dir: Path, line: str) -> None:
    vectors = Vectors(vectors_dir)
    ark, ask = (
        AmdCertificate.parse(vectors.read(f"{SEV}src/certs/sev/builtin/{line}/{name}.cert")) for name in ("ark", "ask")
    )
    (root,) = [root for root in AMD_ROOTS if root.spki_sha256 == ark_fingerprint(ark)]
    assert root.name == f"AMD ARK-{line.title()}"
    assert ask.is_signed_by(ark)


@pytest.mark.vectors
def test_published_launch_measurements(vectors_dir: Path) -> None:
    """expected_sev_api.json's measurement under API 1.40, in the form in which libvirt gives it."""
    vectors = Vectors(vectors_dir)
    case = json.loads(vectors.read("expected_sev_api.json"))["launch_measure"][1]
    value = {
        "sev-measurement": case["expected_measure_plus_nonce_b64"],
        "sev-api-major": case["api"][0],
        "sev-api-minor": case["api"][1],
        "sev-build-id": case["build"],
        "sev-policy": case["policy"],
    }
    tik = TransportKey(vectors.read(case["tik_file"]))
    digest = base64.b64decode(case["ld_b64"])
    reference = ReferenceValues(measurements=(digest,), launch_key=tik)
    assert judge(json.dumps(value).encode(), reference=reference).trusted
