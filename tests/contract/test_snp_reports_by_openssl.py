"""Reports of the embedded secure processor, judged by OpenSSL's command line: the chain to the emulated root, with
RSASSA-PSS, and the report's signature."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.snp_report import SnpReport
from tests.support.snp_evidence import NONCE, SnpEvidence, snp_evidence

SIGNED = 0x2A0
"""Bytes of a report that are signed; R and S follow, 72 bytes each, little-endian."""


def openssl(*arguments: str | Path) -> tuple[bool, str]:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SnpEvidence]:
    """A folder with ark.pem, ask.pem, vcek.pem and vcek.pub, and the report."""
    folder = tmp_path_factory.mktemp("evidence")
    made = snp_evidence(EmulatedRoot(bits=2048))
    certificates = {"vcek": made.vcek, "ask": made.ask, "ark": made.ark}
    for name, der in certificates.items():
        (folder / f"{name}.der").write_bytes(der)
        openssl("x509", "-inform", "DER", "-in", folder / f"{name}.der", "-out", folder / f"{name}.pem")
    openssl("x509", "-in", folder / "vcek.pem", "-pubkey", "-noout", "-out", folder / "vcek.pub")
    return folder, made


def report_is_signed(folder: Path, where: Path, report: bytes) -> bool:
    """What `openssl dgst` says of a report and the key of the VCEK in `folder`."""
    r, s = (int.from_bytes(report[at : at + 72], "little") for at in (SIGNED, SIGNED + 72))
    (where / "signed").write_bytes(report[:SIGNED])
    (where / "signature").write_bytes(encode_dss_signature(r, s))
    options = ("-sha384", "-verify", folder / "vcek.pub", "-signature", where / "signature")
    return openssl("dgst", *options, where / "signed")[0]


def test_the_chain_holds_down_to_the_emulated_root(evidence: tuple[Path, SnpEvidence]) -> None:
    folder, _ = evidence
    chain = ("-CAfile", folder / "ark.pem", "-untrusted", folder / "ask.pem")
    accepted, said = openssl("verify", *chain, folder / "vcek.pem")
    assert accepted, said
    text = openssl("x509", "-in", folder / "vcek.pem", "-text", "-noout")[1]
    assert "rsassaPss" in text
    assert "mgf1 with sha384" in text
    assert "Emulated" in text
    alone, _ = openssl("verify", "-CAfile", folder / "ark.pem", folder / "vcek.pem")
    assert not alone


def test_another_root_does_not_vouch_for_it(evidence: tuple[Path, SnpEvidence], tmp_path: Path) -> None:
    folder, _ = evidence
    other = tmp_path / "other.der"
    other.write_bytes(EmulatedRoot(bits=2048).ark_x509(ProductLine.GENOA))
    openssl("x509", "-inform", "DER", "-in", other, "-out", tmp_path / "other.pem")
    chain = ("-CAfile", tmp_path / "other.pem", "-untrusted", folder / "ask.pem")
    assert not openssl("verify", *chain, folder / "vcek.pem")[0]


def test_the_report_is_signed_by_the_vcek(evidence: tuple[Path, SnpEvidence], tmp_path: Path) -> None:
    folder, made = evidence
    data = made.report
    report = SnpReport.parse(data)
    assert report.measurement == made.launch_digest
    assert report.report_data == NONCE
    assert report_is_signed(folder, tmp_path, data)
    for offset in (0, 0x08, 0x50, 0x90, 0x180, SIGNED - 1, SIGNED, SIGNED + 72):
        forged = bytearray(data)
        forged[offset] ^= 1
        assert not report_is_signed(folder, tmp_path, bytes(forged))
