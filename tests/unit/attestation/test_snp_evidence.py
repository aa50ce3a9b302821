"""SNP reports under a hierarchy made here: what no published report shows (VLEK, version 5, Turin, revocation …)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.attestation.codes import SENTENCES, Code, explain
from confvm_gui.domain.attestation import Endorsements, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import BugError, InvalidInput
from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.snp_report_flags import KeyInfo, PlatformInfo, SigningKey
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions
from tests.unit.attestation.authority import (
    END,
    NOW,
    START,
    Party,
    issue,
    key_usage,
    p384_key,
    revocation_list,
    rsa_key,
)
from tests.unit.attestation.evidence_files import errors, flip, judge, trusted_flips, warnings

CHIP = bytes(range(1, 65))
TCB = TcbVersion(4, 0, 24, 219)
TURIN_TCB = TcbVersion(1, 2, 3, 72, fmc=4)
MILAN_CPU = CpuIdentity(0x19, 0x01, 1)
ZEN4C_CPU = CpuIdentity(0x19, 0xA0, 2)
TURIN_CPU = CpuIdentity(0x1A, 0x02, 1)
VERSION = FirmwareVersion(1, 55, 30)
AUTHORITY = key_usage(certificates=True, lists=True)


class Hierarchy:
    """ARK, ASK and ASVK of one product line, and a chip or a cloud under them."""

    def __init__(self, line: str = "Milan", tcb: TcbVersion = TCB, hwid: bytes = CHIP) -> None:
        self.line = line
        self.ark = issue(f"ARK-{line}", rsa_key(f"ark-{line}"), authority=True, usage=AUTHORITY)
        self.ask = issue(
            f"SEV-{line}",
            rsa_key(f"ask-{line}"),
            self.ark,
            authority=True,
            path_length=0,
            usage=AUTHORITY,
            serial=0x101,
        )
        self.asvk = issue(
            f"SEV-VLEK-{line}",
            rsa_key(f"asvk-{line}"),
            self.ark,
            authority=True,
            path_length=0,
            usage=AUTHORITY,
            serial=0x102,
        )
        self.vcek = self.chip(tcb, hwid)
        self.vlek = issue(
            "SEV-VLEK",
            p384_key("vlek"),
            self.asvk,
            extensions=VekExtensions(line, tcb, csp_id="Test Cloud").encode(),
        )

    def chip(self, tcb: TcbVersion, hwid: bytes = CHIP, *, product: str = "", key: str = "vcek") -> Party:
        extensions = VekExtensions(product or f"{self.line}-B0", tcb, hwid)
        return issue("SEV-VCEK", p384_key(key), self.ask, extensions=extensions.encode())

    def endorsements(self, vek: Party | None = None, *crls: bytes) -> Endorsements:
        return Endorsements((vek or self.vcek).chain(), crls)

    def reference(self, **changes: Any) -> ReferenceValues:
        return replace(ReferenceValues(trusted_roots=(self.ark.root(),)), **changes)


@pytest.fixture(scope="module")
def milan() -> Hierarchy:
    return Hierarchy()


def report(tcb: TcbVersion = TCB, **changes: Any) -> SnpReport:
    """An unsigned report with everything as it should be."""
    number = tcb.to_int()
    base = SnpReport(
        version=3,
        cpu=MILAN_CPU,
        policy=SnpPolicy(0x30000),
        measurement=bytes(range(48)),
        report_data=b"nonce".ljust(64, b"\0"),
        chip_id=CHIP,
        current_tcb=number,
        reported_tcb=number,
        committed_tcb=number,
        launch_tcb=number,
        current_version=VERSION,
        committed_version=VERSION,
        platform_info=PlatformInfo(0x21),
    )
    return replace(base, **changes)


def signed(unsigned: SnpReport, signer: Party) -> bytes:
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    return unsigned.signed(signer.key).to_bytes()


def test_all_is_well(milan: Hierarchy) -> None:
    reference = milan.reference(report_data=b"nonce", measurements=(bytes(range(48)),))
    verdict = judge(signed(report(), milan.vcek), milan.endorsements(None, revocation_list(milan.ark)), reference)

    assert verdict.trusted
    assert verdict.findings == ()
    assert verdict.claim("platform_info.alias_check_complete") is True
    assert verdict.claim("current_version.minor") == 55
    assert not verdict.emulated


def test_an_emulated_root_says_so(milan: Hierarchy) -> None:
    reference = ReferenceValues(trusted_roots=(milan.ark.root(emulated=True),))
    verdict = judge(signed(report(), milan.vcek), milan.endorsements(), reference)

    assert verdict.trusted
    assert verdict.emulated
    assert "root-emulated" in warnings(verdict)


def test_a_root_that_nobody_pinned(milan: Hierarchy) -> None:
    verdict = judge(signed(report(), milan.vcek), milan.endorsements())
    assert errors(verdict) == {"root-not-trusted"}
    assert verdict.links[0].verified is False


def test_a_root_may_be_pinned_by_its_whole_certificate(milan: Hierarchy) -> None:
    from confvm_gui.attestation.x509.certificates import fingerprint

    root = TrustedRoot("test", certificate_sha256=fingerprint(milan.ark.der))
    verdict = judge(signed(report(), milan.vcek), milan.endorsements(), ReferenceValues(trusted_roots=(root,)))
    assert verdict.trusted


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_every_version(milan: Hierarchy, version: int) -> None:
    changes: dict[str, Any] = {"version": version, "cpu": MILAN_CPU if version > 2 else None}
    if version == 5:
        changes |= {"launch_mit_vector": 3, "current_mit_vector": 7}
    verdict = judge(signed(report(**changes), milan.vcek), milan.endorsements(), milan.reference())

    assert verdict.trusted
    assert verdict.claim("product") == "Milan"
    assert verdict.claim("current_mitigations") == ("0x7" if version == 5 else None)


def test_turin_has_another_tcb_and_a_short_chip_id() -> None:
    turin = Hierarchy("Turin", TURIN_TCB, CHIP[:8])
    unsigned = report(TURIN_TCB, version=5, cpu=TURIN_CPU, chip_id=CHIP[:8].ljust(64, b"\0"))
    verdict = judge(signed(unsigned, turin.vcek), turin.endorsements(), turin.reference())

    assert verdict.trusted
    assert verdict.claim("reported_tcb.fmc") == 4
    assert verdict.claim("product") == "Turin"
    other = report(TURIN_TCB, version=5, cpu=TURIN_CPU, chip_id=CHIP)
    assert "chip-id-mismatch" in errors(judge(signed(other, turin.vcek), turin.endorsements(), turin.reference()))


def test_zen_4c_belongs_to_genoa() -> None:
    genoa = Hierarchy("Genoa")
    verdict = judge(signed(report(cpu=ZEN4C_CPU), genoa.vcek), genoa.endorsements(), genoa.reference())
    assert verdict.trusted
    assert verdict.claim("product") == "Genoa"


def test_a_vlek_by_the_asvk(milan: Hierarchy) -> None:
    unsigned = report(key_info=KeyInfo.of(SigningKey.VLEK), chip_id=bytes(64))
    verdict = judge(signed(unsigned, milan.vlek), milan.endorsements(milan.vlek), milan.reference())

    assert verdict.trusted
    assert verdict.claim("csp_id") == "Test Cloud"
    assert verdict.claim("signing_key") == "VLEK"


def test_a_vlek_by_the_ask_is_refused(milan: Hierarchy) -> None:
    extensions = VekExtensions("Milan", TCB, csp_id="Test Cloud")
    vlek = issue("SEV-VLEK", p384_key("vlek"), milan.ask, extensions=extensions.encode())
    unsigned = report(key_info=KeyInfo.of(SigningKey.VLEK))

    verdict = judge(signed(unsigned, vlek), milan.endorsements(vlek), milan.reference())
    assert errors(verdict) == {"certificate-mismatch"}


def test_a_vcek_does_not_stand_in_for_a_vlek(milan: Hierarchy) -> None:
    unsigned = report(key_info=KeyInfo.of(SigningKey.VLEK))
    verdict = judge(signed(unsigned, milan.vcek), milan.endorsements(), milan.reference())
    assert errors(verdict) == {"signer-missing"}


def test_a_chain_of_another_product_is_refused(milan: Hierarchy) -> None:
    genoa = Hierarchy("Genoa")
    reference = replace(milan.reference(), trusted_roots=(milan.ark.root(), genoa.ark.root()))
    verdict = judge(signed(report(), genoa.vcek), genoa.endorsements(), reference)
    assert "product-mismatch" in errors(verdict)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chip_id": bytes(63) + b"\1"}, "chip-id-mismatch"),
        ({"reported_tcb": TcbVersion(4, 0, 23, 219).to_int()}, "tcb-mismatch"),
        ({"current_tcb": TcbVersion(4, 0, 23, 219).to_int()}, "tcb-order"),
        ({"policy": SnpPolicy(0xB0000)}, "debug-allowed"),
        ({"policy": SnpPolicy(0x10000)}, "reserved-not-zero"),
        ({"policy": SnpPolicy(1 << 40 | 0x30000)}, "reserved-not-zero"),
        ({"policy": SnpPolicy(0x30000 | 2 << 8)}, "field-invalid"),
        ({"platform_info": PlatformInfo(1 << 50)}, "reserved-not-zero"),
        ({"key_info": KeyInfo(1 << 20)}, "reserved-not-zero"),
        ({"key_info": KeyInfo.of(SigningKey.NONE)}, "signature-algorithm"),
        ({"signature_algorithm": 2}, "signature-algorithm"),
        ({"vmpl": 4}, "field-invalid"),
        ({"key_info": KeyInfo.of(author_key_enabled=True)}, "field-invalid"),
        ({"reserved": ((0x4C, b"\0\1\0\0"),)}, "reserved-not-zero"),
        ({"reserved": ((0x208, bytes(151) + b"\1"),)}, "reserved-not-zero"),
    ],
)
def test_what_nobody_should_trust(milan: Hierarchy, changes: dict[str, Any], expected: str) -> None:
    if "reserved" in changes:
        changes = {**changes, "version": 5, "launch_mit_vector": 0, "current_mit_vector": 0}
    verdict = judge(signed(report(**changes), milan.vcek), milan.endorsements(), milan.reference())
    assert expected in errors(verdict)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chip_id": bytes(64)}, "chip-id-masked"),
        ({"vmpl": 0xFFFFFFFF}, "vmpl"),
        ({"policy": SnpPolicy(0x70000)}, "migration-agent"),
        ({"report_id_ma": bytes(32)}, "migration-agent"),
        ({"committed_tcb": TcbVersion(4, 0, 23, 219).to_int()}, "firmware-provisional"),
        ({"committed_version": FirmwareVersion(1, 54, 30)}, "firmware-provisional"),
        ({"cpu": CpuIdentity(0x20, 1, 1)}, "product-mismatch"),
    ],
)
def test_what_an_administrator_must_decide(milan: Hierarchy, changes: dict[str, Any], expected: str) -> None:
    verdict = judge(signed(report(**changes), milan.vcek), milan.endorsements(), milan.reference())
    assert verdict.trusted
    assert expected in warnings(verdict)


def test_the_signature_is_checked_whatever_else_is_wrong(milan: Hierarchy) -> None:
    """All findings are collected."""
    bad = flip(signed(report(policy=SnpPolicy(0xB0000), chip_id=bytes(63) + b"\1"), milan.vcek), 0x2A0 * 8)
    found = errors(judge(bad, milan.endorsements()))
    assert found == {"signature-invalid", "root-not-trusted", "chip-id-mismatch", "debug-allowed"}


def test_every_bit_counts(milan: Hierarchy) -> None:
    changes: dict[str, Any] = {"version": 5, "launch_mit_vector": 1, "current_mit_vector": 1}
    data = signed(report(**changes), milan.vcek)
    endorsements, reference = milan.endorsements(), milan.reference()

    assert judge(data, endorsements, reference).trusted
    bits = range(0, len(data) * 8, 3)
    assert trusted_flips(data, bits, lambda changed: judge(changed, endorsements, reference).trusted) == []


def test_the_ask_is_revoked(milan: Hierarchy) -> None:
    data, reference = signed(report(), milan.vcek), milan.reference()
    crl = revocation_list(milan.ark, {0x101: NOW - timedelta(days=3)})

    assert errors(judge(data, milan.endorsements(None, crl), reference)) == {"certificate-revoked"}
    assert judge(data, milan.endorsements(None, revocation_list(milan.ark, {0x102: START})), reference).trusted
    later = judge(data, milan.endorsements(None, crl), reference, at=NOW - timedelta(days=10))
    assert later.trusted
    assert {"certificate-revoked-later", "revocation-list-not-current"} <= warnings(later)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda h: revocation_list(h.ark, key=rsa_key("somebody")), "revocation-list-invalid"),
        (lambda h: revocation_list(h.ark, end=NOW - timedelta(hours=1)), "revocation-list-not-current"),
        (lambda h: revocation_list(h.ark, start=NOW + timedelta(hours=1)), "revocation-list-not-current"),
        (lambda h: revocation_list(h.ask), "revocation-not-checked"),
        (lambda h: revocation_list(h.ark)[:-3] + b"\0\0\0", "revocation-list-invalid"),
        (lambda h: b"\x30\x03\x02\x01\x01", "revocation-list-invalid"),
    ],
)
def test_lists_that_do_not_help(milan: Hierarchy, make: Callable[[Hierarchy], bytes], expected: str) -> None:
    data = signed(report(), milan.vcek)
    endorsements = milan.endorsements(None, make(milan))
    verdict = judge(data, endorsements, milan.reference(require_revocation=True))
    assert expected in errors(verdict)


def test_certificates_of_a_whole_fleet(milan: Hierarchy) -> None:
    """The chip's own certificate is found among others."""
    others = [milan.chip(TCB, bytes((n,)) * 64, key=f"other-{n % 3}").der for n in range(1, 30)]
    endorsements = Endorsements((*others, *milan.vcek.chain()))
    assert judge(signed(report(), milan.vcek), endorsements, milan.reference()).trusted

    with pytest.raises(InvalidInput, match="certificates of"):
        judge(signed(report(), milan.vcek), Endorsements(tuple(others) * 2 + milan.vcek.chain()), milan.reference())


def test_a_certificate_for_another_tcb_of_this_chip_tells_which(milan: Hierarchy) -> None:
    """The case that users ask most about: the certificate fits the current TCB, not the reported one."""
    current = TcbVersion(4, 0, 24, 220)
    vcek = milan.chip(current)
    data = signed(report(current_tcb=current.to_int()), vcek)
    verdict = judge(data, milan.endorsements(vcek), milan.reference())

    assert "tcb-mismatch" in errors(verdict)
    finding = next(item for item in verdict.findings if item.code == "tcb-mismatch")
    assert "which is current_tcb" in finding.actual
    assert "another firmware version" in explain(finding)


@pytest.mark.parametrize("expired", ["vcek", "ask", "ark"])
def test_every_certificate_of_the_chain_must_be_valid(expired: str) -> None:
    end = {expired: NOW - timedelta(days=1)}
    ark = issue("ARK-Milan", rsa_key("ark"), authority=True, usage=AUTHORITY, end=end.get("ark", END))
    ask = issue(
        "SEV-Milan", rsa_key("ask"), ark, authority=True, path_length=0, usage=AUTHORITY, end=end.get("ask", END)
    )
    extensions = VekExtensions("Milan", TCB, CHIP).encode()
    vcek = issue("SEV-VCEK", p384_key("vcek"), ask, extensions=extensions, end=end.get("vcek", END))
    verdict = judge(signed(report(), vcek), Endorsements(vcek.chain()), ReferenceValues(trusted_roots=(ark.root(),)))
    assert errors(verdict) == {"certificate-expired"}


def test_a_vcek_with_reserved_versions_that_are_not_zero(milan: Hierarchy) -> None:
    extensions = VekExtensions("Milan", TCB, CHIP, reserved_spls=((4, 0), (5, 1)))
    vcek = issue("SEV-VCEK", p384_key("vcek"), milan.ask, extensions=extensions.encode())
    verdict = judge(signed(report(), vcek), milan.endorsements(vcek), milan.reference())
    assert errors(verdict) == {"reserved-not-zero"}


def test_an_unknown_version_is_not_trusted_and_not_a_crash(milan: Hierarchy) -> None:
    data = bytearray(signed(report(), milan.vcek))
    data[0] = 9
    assert errors(judge(bytes(data), milan.endorsements(), milan.reference())) == {"version-unknown"}


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Code)


def test_a_time_without_a_zone_is_our_mistake(milan: Hierarchy) -> None:
    with pytest.raises(BugError):
        judge(signed(report(), milan.vcek), at=NOW.replace(tzinfo=None))
