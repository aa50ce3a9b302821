"""`confvm solve`, `explain`, `host`, `id-block` and `ovmf`: answers, exit codes and one line for bad input."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confvm_gui.app.cli import main
from confvm_gui.sev.cpu_identity import cpu_of_type
from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.id_block import IdAuth, IdBlock
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.measurement import FirmwareVersion, launch_measure
from confvm_gui.sev.ovmf_image import OvmfImage
from tests.unit.sev.firmware_images import make_image

Run: TypeAlias = Callable[..., tuple[int, str, str]]
MILAN = cpu_of_type("EPYC-Milan").signature
IMAGES = {"one.fd": make_image(seed=1), "two.fd": make_image(seed=2)}


@pytest.fixture
def confvm(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `confvm` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of firmware, one file of which is none."""
    folder = tmp_path / "library"
    folder.mkdir()
    for name, content in IMAGES.items():
        (folder / name).write_bytes(content)
    (folder / "vars.fd").write_bytes(bytes(4096))
    (folder / "damaged.fd").write_bytes(IMAGES["one.fd"][:-50] + b"\xff\xff" + IMAGES["one.fd"][-48:])
    return folder


def refused(outcome: tuple[int, str, str], *words: str) -> None:
    """One line on standard error with these words, nothing on standard output, exit 2."""
    code, out, err = outcome
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert all(word in err for word in words), err


# --- solve -----------------------------------------------------------------------------------------------------------


def snp_digest() -> str:
    inputs = LaunchInputs(LaunchMode.SEV_SNP, OvmfImage.parse(IMAGES["two.fd"]), 5, MILAN, fpu_reset=False)
    return expected_launch_digest(inputs).hex()


def test_solve_names_the_launch_in_a_library(confvm: Run, library: Path) -> None:
    arguments = ("--digest", snp_digest(), "--ovmf", library / "one.fd", library, "--no-distribution")
    code, out, _ = confvm("solve", *arguments, "--json", "--vcpus", "4", "--most-vcpus", "16")
    said = json.loads(out)
    assert code == 0
    assert said["matches"][0]["firmware"] == str(library / "two.fd")
    assert (said["matches"][0]["vcpus"], said["matches"][0]["fpu_reset"]) == (5, False)
    assert len(said["matches"][0]["differences"]) == 3
    code, out, _ = confvm("solve", *arguments, "--vcpus", "5", "--most-vcpus", "8", "--mode", "snp", "--all")
    assert code == 0
    assert "the host kernel leaves MXCSR and FCW zero" in out
    code, out, _ = confvm("solve", "--digest", "00" * 48, "--ovmf", library, "--no-distribution", "--most-vcpus", "2")
    assert code == 1
    assert "No launch that was tried" in out


def test_solve_takes_a_measurement_and_keeps_its_key(confvm: Run, library: Path, tmp_path: Path) -> None:
    key = bytes(range(1, 17))
    inputs = LaunchInputs(LaunchMode.SEV, OvmfImage.parse(IMAGES["two.fd"]))
    blob = launch_measure(
        TransportKey(key),
        version=FirmwareVersion(1, 55, 3),
        policy=GuestPolicy.from_int(3),
        digest=expected_launch_digest(inputs),
        mnonce=bytes(16),
    ).to_bytes()
    (tmp_path / "tik").write_bytes(key)
    terms = ("--policy", "0x3", "--api-major", "1", "--api-minor", "55", "--build-id", "3", "--tik", tmp_path / "tik")
    files = ("--ovmf", library / "one.fd", library, "--no-distribution", "--mode", "sev")
    measurement = ("--measurement", base64.b64encode(blob).decode())
    code, out, err = confvm("solve", *measurement, *terms, *files, "--json")
    assert code == 0, err
    assert json.loads(out)["matches"][0]["firmware"].endswith("two.fd")
    assert key.hex() not in out + err
    refused(confvm("solve", *measurement, *terms[:-2], *files), "tik")
    refused(confvm("solve", *measurement, *terms[:-1], tmp_path / "none", *files), "tik", "cannot be read")
    (tmp_path / "long").write_bytes(bytes(32))
    refused(confvm("solve", *measurement, *terms[:-1], tmp_path / "long", *files), "16 bytes")
    refused(confvm("solve", "--measurement", "%%", *terms, *files), "base64")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--digest", "zz"), "hexadecimal"),
        (("--digest", "00"), "48"),
        (("--digest", "00" * 48, "--mode", "sev"), "mode"),
        (("--digest", "00" * 48, "--vcpu-type", "Z80"), "vcpu-type"),
        (("--digest", "00" * 48, "--vcpu-sig", "x"), "vcpu-sig"),
        (("--digest", "00" * 48, "--guest-features", "1" * 40), "guest-features"),
        (("--digest", "00" * 48, "--vcpus", "0"), "vcpus"),
        (("--digest", "00" * 48, "--most", "0"), "most"),
        (("--digest", "00" * 48, "--append", "quiet"), "append"),
        (("--digest", "00" * 48, "--ovmf", "/nowhere"), "cannot be read"),
    ],
)
def test_solve_refuses_bad_input_in_one_line(confvm: Run, library: Path, arguments: tuple[str, ...], word: str) -> None:
    refused(confvm("solve", "--no-distribution", "--ovmf", library, *arguments), word)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30), number=st.text(max_size=8))
def test_any_text_is_one_line_or_an_answer(confvm: Run, library: Path, text: str, number: str) -> None:
    for arguments in (
        ("solve", f"--digest={text}", f"--vcpu-sig={number}", "--no-distribution", "--ovmf", library),
        ("explain", f"--ret={number}", f"--fw-error={text}", f"--command={text}"),
        ("explain", f"--ret={number}"),
        ("id-block", "build", f"--policy={text}", f"--measurement={number}", "--id-key=/nowhere"),
        ("ovmf", f"{library}/{number}{text}"),
    ):
        code, out, err = confvm(*arguments)
        assert code in (0, 1, 2)
        assert bool(out) is (code < 2)
        assert code < 2 or err.count("\n") == 1 or not text.isprintable() or not number.isprintable()


# --- explain ---------------------------------------------------------------------------------------------------------


def test_explain_takes_numbers_and_log_lines(confvm: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = confvm("explain", "--ret", "-1", "--fw-error", "0x7", "--command", "LAUNCH_START", "--json")
    (said,) = json.loads(out)
    assert code == 0
    assert (said["command"], said["status"], said["fw_error"]) == ("LAUNCH_START", "POLICY_FAILURE", 7)
    assert said["checks"]
    line = "qemu: sev_launch_start: LAUNCH_START ret=1 fw_error=7 'Policy Failure'"
    assert "What to check:" in confvm("explain", line)[1]
    assert confvm("explain", *line.split())[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"noise\n{line}\nLAUNCH_SECRET ret=-5 fw_error=11\n"))
    assert confvm("explain", "-")[1].count("What to check:") == 2
    assert confvm("explain", "--ret", "EIO", "--fw-error", "2", "--command", "0x34")[1].count("LSECRET") == 1
    assert confvm("explain", "nothing", "here")[0] == 1
    refused(confvm("explain"), "fw-error")
    refused(confvm("explain", "--ret", "much"), "ret")
    refused(confvm("explain", "--ret", "-5", "--command", "BREW_COFFEE"), "command")
    refused(confvm("explain", line, "--ret", "-5"), "not both")


# --- host and ovmf ---------------------------------------------------------------------------------------------------


def test_host_tells_of_this_machine(confvm: Run) -> None:
    for technology in ("sev", "sev-es", "sev-snp"):
        code, out, _ = confvm("host", "--technology", technology, "--json")
        said = json.loads(out)
        assert code == (0 if said["ready"] else 1)
        assert said["technologies"][technology] is said["ready"]
        assert {"key", "title", "state", "found", "hint", "blocks"} == set(said["items"][0])
    code, out, _ = confvm("host")
    assert ("AMD SEV-SNP: ready" in out) is (code == 0)


def test_ovmf_tells_what_an_image_serves(confvm: Run, library: Path) -> None:
    code, out, _ = confvm("ovmf", library / "one.fd", "--json")
    said = json.loads(out)
    assert code == 0
    assert said["capabilities"]["sev-snp"]["served"] is True
    assert said["sections"][2] == {"type": "SNP_SECRETS", "gpa": "0x80d000", "size": "0x1000"}
    code, out, _ = confvm("ovmf", library / "one.fd", "--require", "sev-snp", "snp-kernel-hashes")
    assert code == 0
    assert "yes  AMD SEV-SNP" in out
    (library / "plain.fd").write_bytes(make_image(hash_table=None))
    assert confvm("ovmf", library / "plain.fd", "--require", "kernel-hashes")[0] == 1
    assert confvm("ovmf", library / "vars.fd")[0] == 1
    refused(confvm("ovmf", library / "damaged.fd"), "ovmf")
    refused(confvm("ovmf", library / "nothing.fd"), "cannot be read")
    refused(confvm("ovmf", library), "cannot be read")


# --- id-block --------------------------------------------------------------------------------------------------------


def write_key(
    path: Path,
    curve: ec.EllipticCurve | None = None,
    encryption: KeySerializationEncryption | None = None,
    mode: int = 0o600,
) -> Path:
    key = ec.generate_private_key(curve or ec.SECP384R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    path.chmod(mode)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str | Path, ...]:
    """Options that name both keys."""
    return ("--id-key", write_key(tmp_path / "id.pem"), "--author-key", write_key(tmp_path / "author.pem"))


def test_an_id_block_is_built_and_checked(
    confvm: Run, library: Path, tmp_path: Path, keys: tuple[str | Path, ...]
) -> None:
    launch = ("--ovmf", library / "one.fd", "--vcpus", "2", "--vcpu-type", "EPYC-Milan")
    identity = ("--family-id", "00112233-4455-6677-8899-aabbccddeeff", "--image-id", "01" * 16, "--guest-svn", "7")
    folder = tmp_path / "made"
    code, out, err = confvm(
        "id-block", "build", *launch, "--policy", "SMT", *identity, *keys, "--out", folder, "--json"
    )
    assert code == 0, err
    assert err == ""
    said = json.loads(out)
    block = IdBlock.parse((folder / "id-block.bin").read_bytes())
    auth = IdAuth.parse(base64.b64decode((folder / "id-auth.base64").read_text()))
    digest = expected_launch_digest(LaunchInputs(LaunchMode.SEV_SNP, OvmfImage.parse(IMAGES["one.fd"]), 2, MILAN))
    assert (block.launch_digest, block.policy.value, block.guest_svn) == (digest, 0x30000, 7)
    assert block.family_id.hex() == "00112233445566778899aabbccddeeff"
    assert auth.signs(block)
    assert auth.certifies_id_key()
    assert said["id_key_digest"] == auth.id_key_digest.hex()
    assert said["findings"] == []
    made = ("--id-block", folder / "id-block.base64", "--id-auth", folder / "id-auth.bin")
    code, out, _ = confvm("id-block", "check", *made, *launch, "--policy", "0x30000", "--author-key-enabled")
    assert code == 0
    assert "REFUSED" not in out
    code, out, _ = confvm("id-block", "check", *made, "--measurement", "11" * 48, "--policy", "0xb0000", "--json")
    assert code == 1
    assert [entry["code"] for entry in json.loads(out)["findings"]] == ["digest-differs", "policy-differs"]
    assert "DEBUG in the launch only" in out
    damaged = bytearray((folder / "id-auth.bin").read_bytes())
    damaged[0x40] ^= 1
    (folder / "id-auth.bin").write_bytes(damaged)
    assert confvm("id-block", "check", *made)[0] == 1


def test_building_without_an_author_key_or_with_a_weak_policy_warns(confvm: Run, tmp_path: Path) -> None:
    key = write_key(tmp_path / "id.pem", mode=0o644)
    code, out, err = confvm("id-block", "build", "--measurement", "11" * 48, "--policy", "SMT|DEBUG", "--id-key", key)
    assert code == 0
    assert "author-key-enabled=false" in out
    assert "warning: The policy allows debugging" in out
    assert "INVALID_PARAM" in out
    assert "can be read by others" in err
    assert key.read_text().splitlines()[1] not in out + err
    same = ("--id-key", key, "--author-key", key)
    assert "losing the one" in confvm("id-block", "build", "--measurement", "11" * 48, "--policy", "SMT", *same)[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--policy", "SMT"), "measurement"),
        (("--policy", "SMT", "--measurement", "11"), "48 bytes"),
        (("--policy", "SMT", "--measurement", "00" * 48), "zero"),
        (("--policy", "SMT", "--measurement", "x"), "hexadecimal"),
        (("--policy", "SMT", "--measurement", "11" * 48, "--ovmf", "x"), "either"),
        (("--policy", "0x10000", "--measurement", "11" * 48), "bit 17"),
        (("--policy", "COFFEE", "--measurement", "11" * 48), "policy"),
        (("--policy", "SMT", "--measurement", "11" * 48, "--launch-policy", "SMT|DEBUG"), "launch-policy"),
        (("--policy", "SMT", "--measurement", "11" * 48, "--family-id", "1234"), "family-id"),
        (("--policy", "SMT", "--measurement", "11" * 48, "--guest-svn", "-1"), "guest-svn"),
        (("--policy", "SMT", "--measurement", "11" * 48, "--out", "/proc/nowhere"), "cannot be written"),
    ],
)
def test_building_refuses_bad_input(
    confvm: Run, keys: tuple[str | Path, ...], arguments: tuple[str, ...], word: str
) -> None:
    refused(confvm("id-block", "build", *keys, *arguments), word)


def test_keys_that_are_none_are_refused_without_showing_them(confvm: Run, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"SECRET GARBAGE")
    (tmp_path / "garbage").chmod(0o600)
    (tmp_path / "huge").write_bytes(bytes(70_000))
    for path, word in (
        (write_key(tmp_path / "p256", ec.SECP256R1()), "P-384"),
        (write_key(tmp_path / "sealed", encryption=BestAvailableEncryption(b"x")), "encrypted"),
        (tmp_path / "garbage", "no private key"),
        (tmp_path / "huge", "64 KiB"),
        (tmp_path / "nothing", "cannot be read"),
    ):
        outcome = confvm("id-block", "build", "--measurement", "11" * 48, "--policy", "SMT", "--id-key", path)
        refused(outcome, "id-key", word)
        assert "SECRET" not in outcome[2]


def test_files_that_are_no_id_block_are_refused(confvm: Run, tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"AAAA")
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    (tmp_path / "zeros").write_bytes(bytes(0x60))
    (tmp_path / "auth").write_bytes(bytes(0x1000))
    for name, word in (("short", "3 bytes"), ("odd", "base64"), ("zeros", "version")):
        refused(confvm("id-block", "check", "--id-block", tmp_path / name, "--id-auth", tmp_path / "auth"), word)
