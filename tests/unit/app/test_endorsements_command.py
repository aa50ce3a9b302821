"""`confvm endorsements` and `confvm verify` with bundles and `--fetch`, against a site that stands for KDS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.app import endorsements_command
from confvm_gui.app.cli import main
from confvm_gui.attestation.bundle import Bundle, pack
from confvm_gui.attestation.needs import needs
from confvm_gui.domain.attestation import EndorsementKind, Endorsements, Evidence
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from tests.unit.attestation.evidence_files import SEV, Vectors
from tests.unit.endorsements.publisher_site import Answer, Site, a_list, running_site, store_for

pytestmark = pytest.mark.vectors

CHAIN = "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain"
CRL = "https://kdsintf.amd.com/vcek/v1/Milan/crl"
AT = "2025-07-01T00:00:00Z"


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


@pytest.fixture
def report(vectors: Vectors, tmp_path: Path) -> Path:
    path = tmp_path / "report.bin"
    path.write_bytes(vectors.milan_report())
    return path


@pytest.fixture
def kds(tmp_path: Path, data_dir: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """KDS with the report's certificate, the chain and a list, asked by the commands."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with running_site(tmp_path) as site:
        wanted = needs(Evidence(vectors.milan_report()), Endorsements())
        vcek = next(item.url for item in wanted if item.kind is EndorsementKind.VCEK and "/Milan/" in item.url)
        site.serve(vcek, Answer(vectors.read(f"{SEV}tests/certs_data/vcek_milan.der")))
        site.serve(CHAIN, Answer(vectors.read(f"{SEV}tests/certs_data/cert_chain_milan")))
        site.serve(CRL, Answer(a_list()))

        def opened(folder: Path | None) -> EndorsementCache:
            return store_for(site, (folder or data_dir) / endorsements_command.FOLDER)

        monkeypatch.setattr(endorsements_command, "open_endorsements", opened)
        yield site


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_verify_fetches_what_lacks_only_if_asked_to(
    kds: Site, report: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("verify", report, "--at", AT, "--allow-debug", "--data-dir", data_dir, "--json")
    code, out, _ = run(capsys, *asked)
    assert (code, kds.asked) == (1, [])
    assert "signer-missing" in {finding["code"] for finding in json.loads(out)["findings"]}
    code, out, err = run(capsys, *asked, "--fetch")
    said = json.loads(out)
    assert err == ""
    assert (code, said["verdict"]) == (0, "trusted")
    assert set(said) == {"verdict", "format", "emulated", "claims", "findings"}
    requests = len(kds.asked)
    assert run(capsys, *asked, "--fetch")[1] == out
    assert len(kds.asked) == requests


def test_verify_says_what_could_not_be_fetched_and_judges_what_is_there(
    kds: Site, report: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kds.serve(CHAIN, Answer(status=429, headers={"Retry-After": "60"}))
    code, out, err = run(capsys, "verify", report, "--at", AT, "--fetch", "--data-dir", data_dir)
    assert code == 1
    assert err.startswith("confvm: AMD's KDS (kdsintf.amd.com) asks to wait")
    assert err.count("\n") == 1
    assert "The certificate's TCB" in out
    assert "issuer-missing" in out


def test_verify_takes_a_bundle_with_all_that_it_holds(
    vectors: Vectors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.zip"
    at = datetime(2025, 7, 1, tzinfo=UTC)
    path.write_bytes(pack(Bundle(Evidence(vectors.milan_report()), vectors.milan(), at)))
    code, out, _ = run(capsys, "verify", path, "--json", "--at", "bundle")
    said = json.loads(out)
    assert (code, said["verdict"]) == (0, "trusted")
    assert "reported_tcb" in said["claims"]["certificate.matches"]
    assert run(capsys, "verify", path, "--json")[0] == 0
    # Before AMD made the chip: the bundle's own time is not taken unless it is asked for.
    early = Bundle(Evidence(vectors.milan_report()), vectors.milan(), datetime(2015, 1, 1, tzinfo=UTC))
    path.write_bytes(pack(early))
    assert run(capsys, "verify", path)[0] == 0
    assert run(capsys, "verify", path, "--at", "bundle")[0] == 1


def test_a_bundle_that_is_none_is_bad_input(
    vectors: Vectors, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(pack(Bundle(Evidence(vectors.milan_report()), vectors.milan()))[:-30])
    for arguments in ((path,), (report, "--at", "bundle")):
        code, out, err = run(capsys, "verify", *arguments)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1


def test_endorsements_are_fetched_listed_carried_and_forgotten(
    kds: Site, report: Path, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = ("--data-dir", data_dir), ("--data-dir", tmp_path / "there")
    code, out, _ = run(capsys, "endorsements", "fetch", report, "--json", *here)
    assert code == 0
    assert json.loads(out) == {"certificates": 3, "crls": 1, "documents": 0, "lacking": [], "problem": ""}
    code, out, _ = run(capsys, "endorsements", "list", "--json", *here)
    listed = json.loads(out)
    assert [entry["state"] for entry in listed].count("fresh") == 3
    assert [entry["state"] for entry in listed].count("not-published") == 3
    assert set(listed[0]) == {"url", "kind", "state", "stored_at", "expires_at", "size"}
    code, out, _ = run(capsys, "endorsements", "list", *here)
    assert out.count("\n") == 6
    assert "for ever" in out
    path = tmp_path / "carried.zip"
    assert run(capsys, "endorsements", "export", path, *here)[:2] == (0, "3 endorsements written.\n")
    assert json.loads(run(capsys, "endorsements", "add", path, "--json", *there)[1]) == {"added": 3}
    assert run(capsys, "endorsements", "clear", CRL, *there)[:2] == (0, "1 endorsement forgotten.\n")
    assert run(capsys, "endorsements", "clear", *there)[:2] == (0, "2 endorsements forgotten.\n")
    assert run(capsys, "endorsements", "list", *there)[1] == "No endorsements are kept.\n"


def test_what_still_lacks_is_named(kds: Site, report: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kds.serve(CHAIN, Answer(status=503))
    code, out, _ = run(capsys, "endorsements", "fetch", report, "--data-dir", data_dir)
    assert code == 1
    assert f"lacking: {CHAIN}\n" in out
    assert "fails (HTTP 503)" in out


def test_bad_files_are_one_line_and_exit_2(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    garbage = tmp_path / "garbage.zip"
    garbage.write_bytes(b"PK\x03\x04 not a zip")
    for arguments in (("add", garbage), ("add", tmp_path / "missing"), ("export", tmp_path / "no" / "such.zip")):
        code, out, err = run(capsys, "endorsements", *arguments, "--data-dir", data_dir)
        assert (code, out) == (2, "")
        assert err.startswith("confvm: path: ")
        assert err.count("\n") == 1


def test_nobody_is_asked_about_an_emulated_chip() -> None:
    from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
    from confvm_gui.sev.snp_product import ProductLine
    from confvm_gui.sev.snp_report import SnpReport
    from confvm_gui.sev.tcb_version import TcbVersion
    from confvm_gui.sev.vek_extensions import VekExtensions
    from tests.unit.attestation.authority import p384_key

    chip, tcb = bytes(range(64)), TcbVersion(boot_loader=1, tee=0, snp=2, microcode=3)
    extensions = VekExtensions("Milan-B0", tcb, chip)
    vcek = EmulatedRoot(2048).certify_vcek(ProductLine.MILAN, p384_key("chip").public_key(), extensions)
    report = SnpReport(chip_id=chip, version=2, reported_tcb=tcb.to_int()).signed(p384_key("chip")).to_bytes()
    assert needs(Evidence(report), Endorsements())
    assert needs(Evidence(report), Endorsements(certificates=(vcek,))) == ()
