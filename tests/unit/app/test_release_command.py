"""`confvm release`: a secret from binding to a guest that opens it, and its exit codes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.app.cli import main
from confvm_gui.attestation.bundle import Bundle, pack
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat
from tests.support.embedded_rig import shared_root
from tests.support.snp_evidence import snp_evidence
from tests.unit.keys.keyring_stand_in import StandInKeyring

SECRET = b"the lighthouse keeper's key"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def one(*words: object) -> tuple[int, str, str]:
        code = main(["release", *map(str, words), "--data-dir", str(data_dir)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return one


@pytest.fixture
def conditions(tmp_path: Path) -> Path:
    spki = shared_root().ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = {"name": "Emulated", "spki_sha256": hashlib.sha256(spki).hexdigest(), "emulated": True}
    met = {
        "measurements": [snp_evidence(shared_root()).launch_digest.hex()],
        "policies": ["0x30000"],
        "minimum": {},
        "roots": [root],
        "instance": "",
    }
    path = tmp_path / "conditions.json"
    path.write_text(json.dumps(met))
    return path


def bundle(path: Path, public_key: bytes, tail: str) -> Path:
    made = snp_evidence(shared_root(), report_data=public_key + bytes.fromhex(tail))
    endorsements = Endorsements(certificates=(made.vcek, made.ask, made.ark))
    path.write_bytes(pack(Bundle(Evidence(made.report, EvidenceFormat.SNP_REPORT), endorsements, datetime.now(UTC))))
    return path


@pytest.fixture(autouse=True)
def keyring_in_memory() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(StandInKeyring())
    yield
    keyring.set_keyring(before)


def test_a_secret_from_its_binding_to_the_guest(run: Run, data_dir: Path, tmp_path: Path, conditions: Path) -> None:
    assert main(["keys", "create", "local:a", "--data-dir", str(data_dir)]) == 0
    (tmp_path / "secret").write_bytes(SECRET)
    bound = run("bind", "database", "--key", "local:a", "--secret", tmp_path / "secret", "--conditions", conditions)
    assert (bound[0], "wrapped by local:a" in bound[1]) == (0, True)
    code, out, _ = run("challenge", "database", "--json")
    private = X25519PrivateKey.generate()
    (tmp_path / "key").write_bytes(private.private_bytes_raw())
    evidence = bundle(tmp_path / "e.zip", private.public_key().public_bytes_raw(), json.loads(out)["report_data_tail"])
    code, out, _ = run("give", "database", evidence, "--out", tmp_path / "release")
    assert (code, out.splitlines()[0]) == (0, "database: given")
    assert SECRET not in (tmp_path / "release").read_bytes()

    code, _, _ = run("open", tmp_path / "release", "--key", tmp_path / "key", "--out", tmp_path / "opened")
    assert (code, (tmp_path / "opened").read_bytes()) == (0, SECRET)
    assert (tmp_path / "opened").stat().st_mode & 0o777 == 0o600

    code, out, _ = run("give", "database", evidence, "--out", tmp_path / "again", "--json")
    assert (code, json.loads(out)["given"], (tmp_path / "again").exists()) == (1, False, False)
    assert run("revoke", "database")[:2] == (0, "database: revoked\n")
    (kept,) = json.loads(run("list", "--json")[1])["secrets"]
    assert (kept["secret"], kept["given"], kept["state"]) == ("database", 1, "revoked")
    assert kept["conditions"] == json.loads(conditions.read_text())
    assert "revoked" in run("list")[1]
    assert main(["audit", "verify", "--data-dir", str(data_dir)]) == 0


def test_another_measurement_is_refused_with_what_speaks_against_it(run: Run, data_dir: Path, tmp_path: Path) -> None:
    assert main(["keys", "create", "local:a", "--data-dir", str(data_dir)]) == 0
    (tmp_path / "secret").write_bytes(SECRET)
    words = ("--key", "local:a", "--secret", tmp_path / "secret", "--measurement", "AB" * 48)
    assert run("bind", "database", *words, "--policy", "0x30000", "--minimum", "reported_tcb.snp=1")[0] == 0
    tail = json.loads(run("challenge", "database", "--json")[1])["report_data_tail"]
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    code, out, _ = run("give", "database", bundle(tmp_path / "e.zip", public, tail), "--out", tmp_path / "release")
    assert (code, (tmp_path / "release").exists()) == (1, False)
    assert out.startswith("database: REFUSED: The report does not meet the conditions")
    assert "ab" * 48 in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["list"], 0, ""),
        (["challenge", "absent"], 1, "no secret 'absent'"),
        (["revoke", "absent"], 1, "no secret 'absent'"),
        (["bind", "a", "--key", "local:a", "--secret", "/nowhere", "--measurement", "00" * 48], 2, "secret:"),
        (["bind", "a", "--key", "local:a", "--secret", "/nowhere", "--measurement", "zz"], 2, "conditions:"),
        (["bind", "a", "--key", "local:a", "--secret", "/x", "--conditions", "/nowhere"], 2, "conditions:"),
        (
            ["bind", "a", "--key", "l:a", "--secret", "/x", "--measurement", "00" * 48, "--minimum", "boot"],
            2,
            "minimum:",
        ),
        (["bind", "a", "--key", "local:a", "--secret", "/etc/hostname", "--instance", "absent"], 1, "absent"),
        (["give", "absent", "/nowhere", "--out", "/x"], 2, "evidence:"),
        (["open", "/etc/hostname", "--key", "/nowhere", "--out", "/x"], 2, "key:"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(run: Run, words: list[str], code: int, told: str) -> None:
    exit_code, _, err = run(*words)
    assert exit_code == code, err
    assert told in err
    assert err.count("\n") == (1 if told else 0)
