"""`confvm share`: two owners on two computers; one runs the guest and asks it, neither sees the other's data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from confvm_gui.app.cli import main
from tests.support.embedded_rig import files_with

ADAS, BENS = b"a text that only Ada knows", b"a text that only Ben knows"
SECONDS = 60.0


@dataclass(frozen=True)
class Console:
    """One owner's computer: a data directory, and a keyring that is none, so that keys lie in it."""

    data_dir: Path

    def start(self, *words: object) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "confvm_gui.app.cli", *map(str, words), "--data-dir", str(self.data_dir)]
        environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        return subprocess.Popen(
            line, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )

    def run(self, *words: object, code: int = 0) -> str:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == code, f"{words}: {out}{err}"
        return out + err


@dataclass(frozen=True)
class Study:
    """Cards made, data sealed, the agreement approved by both."""

    ada: Console
    ben: Console
    shelf: Path
    """Where files go from one to the other."""

    @property
    def sets(self) -> tuple[str, ...]:
        return ("--sets", str(self.shelf / "ada.set"), str(self.shelf / "ben.set"))

    def nonce(self, one: Console) -> str:
        return str(json.loads(one.run("share", "nonce", self.shelf / "agreed.json", "--json"))["nonce"])


def records(path: Path, text: bytes, rows: int) -> Path:
    path.write_text("id,age,note\n" + "".join(f"{path.stem}-{at},{20 + at},{text.decode()}\n" for at in range(rows)))
    return path


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    ada, ben = Console(tmp_path / "ada"), Console(tmp_path / "ben")
    cards = []
    for name, one in (("Ada", ada), ("Ben", ben)):
        one.run("keys", "create", "local:owner")
        cards.append(shelf / f"{name}.card")
        assert name in one.run("share", "card", name, "--key", "local:owner", "--out", cards[-1])
    for name, one, text, rows in (("ada", ada, ADAS, 9), ("ben", ben, BENS, 7)):
        source = records(tmp_path / f"{name}.csv", text, rows)
        one.run("share", "seal", source, "--owners", *cards, "--out", shelf / f"{name}.set")
        source.unlink()
    ada.run("share", "guest", "--out", shelf / "conditions.json")
    at = Study(ada, ben, shelf)
    conditions = ("--conditions", shelf / "conditions.json")
    ada.run("share", "propose", "study", *at.sets, *conditions, "--out", shelf / "proposed.json")
    ada.run("share", "approve", shelf / "proposed.json", "--out", shelf / "by-ada.json")
    ben.run("share", "approve", shelf / "proposed.json", "--out", shelf / "by-ben.json")
    joined = ada.run("share", "join", shelf / "by-ada.json", shelf / "by-ben.json", "--out", shelf / "agreed.json")
    assert "approved by all owners" in joined
    yield at
    assert not files_with(tmp_path, ADAS, BENS)


def test_the_guest_that_both_approved_computes_on_both(study: Study) -> None:
    shelf = study.shelf
    asked = ("--request", shelf / "request.json", "--releases", shelf / "ben.release")
    nonce = ("--nonce", f"Ben={study.nonce(study.ben)}", "--count", "age", "24")
    with study.ada.start("share", "serve", shelf / "agreed.json", *study.sets, *asked, *nonce, "--json") as guest:
        assert guest.stdout is not None
        assert json.loads(guest.stdout.readline()) == {"request": str(shelf / "request.json")}
        release = ("--request", shelf / "request.json", "--out", shelf / "ben.part")
        told = study.ben.run("share", "release", shelf / "agreed.json", *study.sets, *release)
        assert "released to the guest" in told
        again = study.ben.run("share", "release", shelf / "agreed.json", *study.sets, *release, code=1)
        assert "REFUSED: The request answers no nonce of this console that waits" in again
        (shelf / "ben.part").rename(shelf / "ben.release")
        out, err = guest.communicate(timeout=SECONDS)
    assert guest.returncode == 0, err
    assert [json.loads(line) for line in out.splitlines()] == [
        {"opened": True},
        {"column": "age", "value": "24", "count": 2},
    ]
    for one in (study.ada, study.ben):
        one.run("audit", "verify")


def test_a_guest_of_another_measurement_is_given_nothing(study: Study, tmp_path: Path) -> None:
    shelf = study.shelf
    terms = json.loads((shelf / "conditions.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps({**terms, "measurements": ["ab" * 48]}))
    proposed, half, agreed = (shelf / f"other-{each}.json" for each in ("proposed", "half", "agreed"))
    study.ada.run("share", "propose", "other", *study.sets, "--conditions", tmp_path / "other.json", "--out", proposed)
    study.ada.run("share", "approve", proposed, "--out", half)
    assert "Ben" in study.ada.run("share", "nonce", half, code=2)
    study.ben.run("share", "approve", half, "--out", agreed)
    words = ("--nonce", f"Ben={'00' * 32}", "--request", shelf / "request.json", "--releases", shelf / "never")
    told = study.ada.run("share", "serve", agreed, *study.sets, *words, code=1)
    assert "REFUSED by this console: The report does not meet the conditions: measurement-mismatch" in told
    assert not (shelf / "request.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("card", "Ada", "--out", "x"), "key:"),
        (("card", "A\ndа", "--key", "local:a", "--out", "x"), "name"),
        (("seal", "absent.csv", "--owners", "absent.card", "--out", "x"), "owners: absent.card cannot be read"),
        (("show", "absent"), "agreement: absent cannot be read"),
        (("nonce", "/etc/hostname"), "agreement:"),
        (("release", "absent", "--sets", "a", "--request", "r", "--out", "x"), "agreement:"),
        (("propose", "n", "--sets", "/etc/hostname", "--conditions", "c", "--out", "x"), "set:"),
    ],
)
def test_bad_input_is_one_line(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert main(["share", *words, "--data-dir", str(data_dir)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.count("\n") == 1
