"""`confvm verify`: verdicts, exit codes and one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from confvm_gui.app.cli import main

pytestmark = pytest.mark.vectors

REPORT = "google+go-sev-guest/verify/testdata/attestation.bin"
VCEK = "google+go-sev-guest/verify/testdata/vcek.testcer"
CHAIN = "google+go-sev-guest/verify/trust/ask_ark_milan.pem"


@pytest.fixture
def endorsements(vectors_dir: Path) -> list[str]:
    return ["--endorsements", str(vectors_dir / VCEK), str(vectors_dir / CHAIN), "--at", "2023-06-01T00:00:00Z"]


def test_a_real_report_is_trusted_down_to_amds_root(
    vectors_dir: Path, endorsements: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["verify", str(vectors_dir / REPORT), *endorsements, "--allow-debug", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (said["verdict"], said["format"], said["emulated"]) == ("trusted", "snp-report", False)
    assert said["claims"]["measurement"].startswith("b07af962")
    assert all(set(finding) == {"code", "severity", "expected", "actual", "source"} for finding in said["findings"])
    assert "error" not in {finding["severity"] for finding in said["findings"]}


def test_what_nobody_should_trust_is_refused_without_a_reference(
    vectors_dir: Path, endorsements: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(vectors_dir / REPORT), *endorsements]) == 1
    assert "debug-allowed" in capsys.readouterr().out
    report = bytearray((vectors_dir / REPORT).read_bytes())
    report[0x90] ^= 1
    flipped = tmp_path / "flipped.bin"
    flipped.write_bytes(report)
    assert main(["verify", str(flipped), *endorsements, "--allow-debug"]) == 1
    assert "NOT TRUSTED" in capsys.readouterr().out
    assert main(["verify", str(vectors_dir / REPORT), "--allow-debug"]) == 1


def test_expectations_are_held_against_the_claims(
    vectors_dir: Path, endorsements: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = ["verify", str(vectors_dir / REPORT), *endorsements, "--allow-debug"]
    assert main([*accepted, "--report-data", "0102030405"]) == 0
    assert main([*accepted, "--report-data", "ff"]) == 1
    reference = tmp_path / "reference.toml"
    reference.write_text('measurements = ["' + "00" * 48 + '"]\n')
    assert main([*accepted, "--reference", str(reference)]) == 1
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "yesterday"], "at: "),
        (["--report-data", "xyz"], "report-data: "),
        (["--part", "nothing"], "part: "),
        (["--reference", "/nonexistent"], "reference: "),
        (["--endorsements", "/nonexistent"], "endorsements: "),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    vectors_dir: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(vectors_dir / REPORT), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"confvm: {message}")
    assert said.err.count("\n") == 1


def test_malformed_evidence_is_bad_input(vectors_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short.bin"
    short.write_bytes((vectors_dir / REPORT).read_bytes()[:1000])
    assert main(["verify", str(short)]) == 2
    assert main(["verify", str(tmp_path / "missing")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
