"""SEV-SNP's formats and digests against values that others published: see MANIFEST.md beside the vectors."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.id_block import IdAuth, IdBlock
from confvm_gui.sev.kds import vcek_url
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.ovmf_image import OvmfImage
from confvm_gui.sev.snp_launch_digest import PageType, SnpLaunchDigest
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.snp_product import ProductLine, TcbLayout
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.vmsa import Segment, VmmType, Vmsa
from confvm_gui.sev.x509_certificate import X509Certificate, parse_certificates

pytestmark = pytest.mark.vectors

_SHOWN = {"cpl", "efer", "cr0", "cr3", "cr4", "dr6", "dr7", "rflags", "rip", "rsp", "rax", "rdx", "xcr0"}
MEASURE = "virtee+sev-snp-measure"
AZURE_SNP = "confidential-containers+trustee/deps/verifier/test_data/snp"


@pytest.fixture
def launch_cases(vectors_dir: Path) -> list[Any]:
    cases: list[Any] = json.loads((vectors_dir / "expected_launch_digests.json").read_text())["cases"]
    return cases


def launch(case: Any, folder: Path) -> bytes:
    inputs = case["inputs"]
    kernel = None
    if inputs["kernel"] is not None:
        assert inputs["kernel"] == "empty file"
        assert inputs["initrd"] in (None, "empty file")
        kernel = KernelHashes.of(b"", b"", inputs["append"] or "")
    firmware_hash = inputs["snp_ovmf_hash_str"]
    return expected_launch_digest(
        LaunchInputs(
            LaunchMode[inputs["mode"]],
            OvmfImage.parse((folder / MEASURE / inputs["ovmf_file"]).read_bytes()),
            vcpus=inputs["vcpus"],
            cpu_signature=int(inputs["vcpu_sig"] or "0", 16),
            vmm=VmmType(inputs["vmm_type"]),
            guest_features=int(inputs["guest_features"], 16),
            kernel=kernel,
            firmware_digest=bytes.fromhex(firmware_hash) if firmware_hash else None,
        )
    )


def test_every_launch_digest(launch_cases: list[Any], vectors_dir: Path) -> None:
    tried = 0
    for case in launch_cases:
        if case["inputs"]["mode"] == "SEV_SNP_SVSM":
            continue
        tried += 1
        if "expected_error" in case:
            with pytest.raises(InvalidInput, match="does not measure kernel"):
                launch(case, vectors_dir)
        else:
            assert launch(case, vectors_dir).hex() == case["expected_digest"], case["test"]
    assert tried == 26


def test_run_of_zero_pages(vectors_dir: Path) -> None:
    case = json.loads((vectors_dir / "expected_gce_pageinfo.json").read_text())["page_info_zero_run"]
    assert case["page_type"] == PageType.ZERO
    digest = SnpLaunchDigest(bytes.fromhex(case["start_digest"]))
    digest.add_zero(int(case["gpa"], 16), case["pages"] * 4096)
    assert digest.digest.hex() == case["expected"]


class TestVmsa:
    @pytest.mark.parametrize(("number", "eip"), [(0, 0xFFFFFFF0), (1, 0x80B004)])
    def test_pages_of_a_real_launch(self, vectors_dir: Path, number: int, eip: int) -> None:
        real = Vmsa((vectors_dir / f"virtee+sevctl/tests/data/vmsa{number}.bin").read_bytes())
        old_kernel = Vmsa.at_reset(eip, cpu_signature=0xA00F11, sev_features=0, fpu_reset=False)
        assert old_kernel == real
        newer = Vmsa.at_reset(eip, cpu_signature=0xA00F11, sev_features=0)
        assert newer.differences(real) == (("mxcsr", "0x1f80", "0x0"), ("x87_fcw", "0x37f", "0x0"))

    @pytest.mark.parametrize("number", [0, 1])
    def test_read_as_sevctl_shows_it(self, vectors_dir: Path, number: int) -> None:
        folder = vectors_dir / "virtee+sevctl/tests/data"
        vmsa = Vmsa((folder / f"vmsa{number}.bin").read_bytes())
        shown = json.loads((folder / f"vmsa{number}-show.txt").read_text())
        segments = registers = 0
        for name, value in shown.items():
            if isinstance(value, dict):
                assert vmsa.segment(name) == Segment(**value), name
                segments += 1
            elif name in _SHOWN:
                assert vmsa.register(name) == value, name
                registers += 1
        assert (segments, registers) == (10, 13)


class TestIdBlock:
    def cases(self, folder: Path) -> list[Any]:
        cases: list[Any] = json.loads((folder / "expected_idblock.json").read_text())["cases"]
        return cases

    def test_blocks(self, vectors_dir: Path) -> None:
        first, second = self.cases(vectors_dir)
        for case, digest in (
            (first, base64.b64decode(first["ld_b64"])),
            (second, bytes.fromhex(second["ld_hex"])),
        ):
            block = IdBlock(digest, SnpPolicy(0x30000))
            assert block.to_bytes() == base64.b64decode(case["id_block_b64"])
            assert IdBlock.parse(block.to_bytes()) == block

    def test_published_authentication(self, vectors_dir: Path) -> None:
        case = self.cases(vectors_dir)[1]
        folder = vectors_dir / "virtee+sev/tests/measurement"
        raw = (folder / "test_auth_block.bin").read_bytes()
        auth = IdAuth.parse(raw)
        assert auth.to_bytes() == raw
        assert auth.id_block_signature == (folder / "test_id_sig.bin").read_bytes()
        assert auth.id_key_signature == (folder / "test_auth_sig.bin").read_bytes()
        assert auth.id_key_digest == base64.b64decode(case["id_key_digest_b64"])
        assert auth.author_key_digest == base64.b64decode(case["author_key_digest_b64"])
        assert auth.certifies_id_key()
        block = IdBlock.parse(base64.b64decode(case["id_block_b64"]))
        assert auth.signs(block)
        assert not auth.signs(IdBlock(block.launch_digest, SnpPolicy(0xB0000)))


def report_and_vek(folder: Path, which: str) -> tuple[bytes, X509Certificate, X509Certificate]:
    """A real report, the certificate of its key, and the ASK."""
    if which == "virtee":
        data = folder / "virtee+sev/tests/certs_data"
        raw = bytes.fromhex((data / "report_milan.hex").read_text())
        return (
            raw,
            X509Certificate((data / "vcek_milan.der").read_bytes()),
            parse_certificates((data / "cert_chain_milan").read_bytes())[0],
        )
    if which == "go":
        data = folder / "google+go-sev-guest/verify/testdata"
        return (
            (data / "attestation.bin").read_bytes(),
            X509Certificate((data / "vcek.testcer").read_bytes()),
            parse_certificates((data / "milan.testcer").read_bytes())[0],
        )
    data = folder / AZURE_SNP
    bundle = folder / "confidential-containers+trustee/deps/verifier/src/snp/milan_ask_ark_asvk.pem"
    return (
        (data / "test-report.bin").read_bytes(),
        X509Certificate((data / "test-vcek.der").read_bytes()),
        parse_certificates(bundle.read_bytes())[0],
    )


@pytest.mark.parametrize("which", ["virtee", "go", "azure"])
class TestReports:
    def test_signed_by_its_chip(self, vectors_dir: Path, which: str) -> None:
        raw, vek, ask = report_and_vek(vectors_dir, which)
        report = SnpReport.parse(raw)
        assert report.to_bytes() == raw
        assert report.version == 2
        assert report.reserved_findings() == ()
        assert report.is_signed_by(vek.public_key())
        assert vek.is_signed_by(ask)
        assert vek.names_issuer(ask)
        assert vek.amd is not None
        assert vek.amd.hwid == report.chip_id
        assert vek.amd.product is ProductLine.MILAN
        assert report.tcb_layout is TcbLayout.MILAN
        assert report.tcb(report.reported_tcb) == vek.amd.tcb

    def test_any_flipped_bit_is_found(self, vectors_dir: Path, which: str) -> None:
        raw, vek, _ = report_and_vek(vectors_dir, which)
        key = vek.public_key()
        for offset in range(0, 0x2A0 + 144, 13):
            altered = bytearray(raw)
            altered[offset] ^= 1 << offset % 8
            try:
                report = SnpReport.parse(bytes(altered))
            except InvalidInput:
                assert offset < 4
                continue
            assert report.to_bytes() == altered
            assert not report.is_signed_by(key), hex(offset)

    def test_tail_of_the_signature_is_told(self, vectors_dir: Path, which: str) -> None:
        raw, vek, _ = report_and_vek(vectors_dir, which)
        altered = raw[:-1] + b"\x80"
        report = SnpReport.parse(altered)
        assert report.is_signed_by(vek.public_key())
        (finding,) = report.reserved_findings()
        assert finding.offset == 0x330
        assert report.to_bytes() == altered


def test_details_of_real_reports(vectors_dir: Path) -> None:
    raw, vek, _ = report_and_vek(vectors_dir, "virtee")
    report = SnpReport.parse(raw)
    tcb = report.tcb(report.reported_tcb)
    assert (tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode, tcb.fmc) == (3, 0, 8, 115, None)
    assert report.cpu is None
    assert vcek_url(ProductLine.MILAN, report.chip_id, tcb) == (
        f"https://kdsintf.amd.com/vcek/v1/Milan/{report.chip_id.hex()}?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115"
    )
    debugged = SnpReport.parse(report_and_vek(vectors_dir, "go")[0])
    assert debugged.policy.value == 0xB0000
    assert debugged.policy.names() == ("SMT", "DEBUG")
    azure = SnpReport.parse(report_and_vek(vectors_dir, "azure")[0])
    assert azure.tcb(azure.current_tcb).microcode == 206
    assert azure.tcb(azure.reported_tcb).below(azure.tcb(azure.current_tcb)) != ()
    assert vek.serial == 0


def test_version_3_in_azure_evidence(vectors_dir: Path) -> None:
    folder = vectors_dir / "confidential-containers+trustee/deps/verifier/test_data/az-snp-vtpm"
    evidence = json.loads((folder / "evidence-v2.json").read_text())
    raw = base64.urlsafe_b64decode(evidence["hcl_report"] + "==")[0x20 : 0x20 + 0x4A0]
    report = SnpReport.parse(raw)
    assert report.to_bytes() == raw
    assert report.version == 3
    assert report.cpu == (25, 1, 1)
    assert report.product is ProductLine.MILAN
    assert report.launch_mit_vector is None
    assert report.reserved_findings() == ()
    vek = X509Certificate(base64.urlsafe_b64decode(evidence["vcek"] + "=="))
    assert report.is_signed_by(vek.public_key())
    assert vek.amd is not None
    assert report.tcb(report.reported_tcb) == vek.amd.tcb


class TestCertificates:
    @pytest.mark.parametrize("product", ["milan", "genoa", "turin"])
    def test_bundles(self, vectors_dir: Path, product: str) -> None:
        folder = vectors_dir / "confidential-containers+trustee/deps/verifier/src/snp"
        ask, ark, asvk = parse_certificates((folder / f"{product}_ask_ark_asvk.pem").read_bytes())
        name = product.capitalize()
        assert [c.subject.common_name for c in (ask, ark, asvk)] == [f"SEV-{name}", f"ARK-{name}", f"SEV-VLEK-{name}"]
        assert ark.is_self_issued
        assert ark.is_signed_by(ark)
        for signing in (ask, asvk):
            assert signing.is_signed_by(ark)
            assert not signing.is_signed_by(signing)
            assert not ark.is_signed_by(signing)
        for authority in (ask, ark, asvk):
            assert authority.may_sign_certificates
            assert authority.amd is None
            assert authority.unknown_critical == ()
        builtin = vectors_dir / "virtee+sev/src/certs/snp/builtin" / product / "ark.pem"
        (pinned,) = parse_certificates(builtin.read_bytes())
        assert pinned.public_key_fingerprint() == ark.public_key_fingerprint()

    @pytest.mark.parametrize("name", sorted(["genoa", "genoa_vlek", "milan", "milan_vlek", "turin_vcek", "turin_vlek"]))
    def test_chains_of_the_service(self, vectors_dir: Path, name: str) -> None:
        file = vectors_dir / f"google+go-sev-guest/verify/trust/ask_ark_{name}.pem"
        signing, root = parse_certificates(file.read_bytes())
        assert signing.is_signed_by(root)
        assert root.may_sign_crls
        assert not signing.may_sign_crls
        assert ("VLEK" in signing.subject.common_name) is ("vlek" in name)

    def test_turin(self, vectors_dir: Path) -> None:
        folder = vectors_dir / "virtee+sev/tests/certs_data"
        vcek = X509Certificate((folder / "vcek_turin.der").read_bytes())
        ask = parse_certificates((folder / "cert_chain_turin").read_bytes())[0]
        assert vcek.is_signed_by(ask)
        assert vcek.amd is not None
        assert vcek.amd.struct_version == 1
        assert vcek.amd.product is ProductLine.TURIN
        assert vcek.amd.tcb.layout is TcbLayout.TURIN
        assert vcek.amd.tcb.microcode == 9
        assert [number for number, _ in vcek.amd.reserved_spls] == [5, 6, 7]
        hwid = vcek.amd.hwid
        assert hwid is not None
        assert len(hwid) == 8
        assert vcek_url(ProductLine.TURIN, hwid.ljust(64, b"\x00"), vcek.amd.tcb).endswith(
            f"/vcek/v1/Turin/{hwid.hex()}?fmcSPL=00&blSPL=00&teeSPL=00&snpSPL=00&ucodeSPL=09"
        )

    @pytest.mark.parametrize("name", ["test-vcek-invalid-legacy.der", "test-vcek-invalid-new.der"])
    def test_both_encodings_of_hwid(self, vectors_dir: Path, name: str) -> None:
        vcek = X509Certificate((vectors_dir / AZURE_SNP / name).read_bytes())
        assert vcek.amd is not None
        assert vcek.amd.hwid == bytes(range(64))
        _, _, ask = report_and_vek(vectors_dir, "azure")
        assert vcek.names_issuer(ask)
        assert not vcek.is_signed_by(ask)

    def test_serial_zero_warns_of_nothing(self, vectors_dir: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _, vek, _ = report_and_vek(vectors_dir, "virtee")
            key = vek.public_key()
        assert vek.serial == 0
        assert [vek.is_valid_at(datetime(year, 1, 1, tzinfo=UTC)) for year in (2023, 2024, 2031)] == [
            False,
            True,
            False,
        ]
        assert not vek.is_ca
        assert not vek.may_sign_certificates
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp384r1"

    def test_every_part_is_signed(self, vectors_dir: Path) -> None:
        _, vek, ask = report_and_vek(vectors_dir, "virtee")
        raw = vek.encoded
        for offset in range(0, len(raw), 17):
            altered = bytearray(raw)
            altered[offset] ^= 0xFF
            try:
                damaged = X509Certificate(bytes(altered))
            except InvalidInput:
                continue
            assert not damaged.is_signed_by(ask), offset
            assert damaged != vek

    def test_asvk_in_place_of_ask(self, vectors_dir: Path) -> None:
        _, vek, _ = report_and_vek(vectors_dir, "azure")
        bundle = vectors_dir / "confidential-containers+trustee/deps/verifier/src/snp/milan_ask_ark_asvk.pem"
        _, _, asvk = parse_certificates(bundle.read_bytes())
        assert not vek.is_signed_by(asvk)
        assert not vek.names_issuer(asvk)


def test_kernel_hash_page_holds_the_table_where_the_firmware_wants_it(vectors_dir: Path) -> None:
    image = OvmfImage.parse((vectors_dir / MEASURE / "tests/fixtures/ovmf_AmdSev_suffix.bin").read_bytes())
    area = image.hash_table_area
    assert area is not None
    assert (area.gpa, area.size) == (0x810C00, 0x400)
    secret = image.secret_area
    assert secret is not None
    assert (secret.gpa, secret.size) == (0x810000, 0xC00)
    hashes = KernelHashes.of(b"kernel", b"initrd", "quiet")
    page = hashes.page(area.gpa)
    assert page[0xC00 : 0xC00 + 176] == hashes.table()
    assert hashlib.sha256(b"quiet\x00").digest() in page
