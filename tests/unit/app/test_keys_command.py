"""`confvm keys`: what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import keyring
import pytest

from confvm_gui.app.cli import main
from tests.support.embedded_rig import catalog, host_keys, launch_request, small_site, write_records
from tests.support.operations import OperationRecord
from tests.support.softhsm import MODULE, PIN, TOKEN, softhsm
from tests.unit.keys.keyring_stand_in import StandInKeyring


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["keys", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def held(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one instance, whose disk local:default holds."""
    from confvm_gui.keys.local import LocalKeyStore
    from confvm_gui.providers.embedded.provider import EmbeddedProvider

    records = write_records(tmp_path_factory.mktemp("records"))

    async def make() -> None:
        store = LocalKeyStore(data_dir)
        provider = EmbeddedProvider(data_dir, catalog(), store, make_site=small_site, make_keys=host_keys)
        try:
            await provider.create(launch_request(records=records), OperationRecord())
        finally:
            await provider.aclose()

    asyncio.run(make())
    return data_dir


def test_a_key_from_its_making_to_its_end(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--data-dir", str(data_dir))
    assert run(capsys, "list", *at)[:2] == (0, "There are no keys.\n")
    assert run(capsys, "create", "local:a", *at)[:2] == (0, "local:a: enabled\n")
    code, out, _ = run(capsys, "rotate", "local:a", "--json", *at)
    assert (code, json.loads(out)["versions"], json.loads(out)["state"]) == (0, 2, "enabled")
    assert run(capsys, "disable", "local:a", *at)[:2] == (0, "local:a: disabled, disabled here\n")
    assert run(capsys, "enable", "local:a", *at)[:2] == (0, "local:a: enabled\n")
    code, out, _ = run(capsys, "destroy", "local:a", "--after", "1", *at)
    assert (code, out.startswith("local:a: destroy scheduled, is destroyed on ")) == (0, True)
    assert run(capsys, "restore", "local:a", *at)[0] == 0
    assert run(capsys, "destroy", "local:a", "--after", "0", *at)[0] == 0
    code, out, _ = run(capsys, "list", "--json", *at)
    (key,) = json.loads(out)["keys"]
    assert (key["ref"], key["state"], key["versions"], key["holds"]) == ("local:a", "destroyed", 0, [])
    assert main(["audit", "verify", *at]) == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["rotate", "local:absent"], 1, "There is no key local:absent"),
        (["create", "local:UPPER"], 2, "disk_key:"),
        (["create", "other:key"], 2, "no kind of key"),
        (["create", "pkcs11:token=t;object=o?pin-value=0815"], 2, "PIN does not belong"),
        (["create", "pkcs11:token=t;object=o"], 1, "keys.pkcs11_module"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    exit_code, out, err = run(capsys, *words, "--data-dir", str(data_dir))
    assert (exit_code, out, err.count("\n")) == (code, "", 1)
    assert told in err
    assert "0815" not in err


def test_days_that_are_none_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for days in ("soon", "-1", "366", "nan"):
        with pytest.raises(SystemExit) as ended:
            main(["keys", "destroy", "local:a", "--after", days])
        assert ended.value.code == 2


def test_a_destruction_names_what_is_lost_and_wants_a_yes(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--data-dir", str(held))
    code, out, err = run(capsys, "destroy", "local:default", "--after", "0", *at)
    assert (code, out) == (2, "")
    assert "the data of probe would be lost for good" in err
    _, out, _ = run(capsys, "list", "--json", *at)
    (key,) = [each for each in json.loads(out)["keys"] if each["ref"] == "local:default"]
    assert (key["state"], [use["instance_name"] for use in key["holds"]]) == ("enabled", ["probe"])
    assert run(capsys, "create", "local:other", *at)[0] == 0
    moved = run(capsys, "rewrap", "local:default", "--to", "local:other", *at)
    assert moved[:2] == (0, "probe: wrapped by local:other\n")
    assert run(capsys, "destroy", "local:default", "--after", "0", *at)[0] == 0
    assert run(capsys, "destroy", "local:other", "--after", "0", "--yes", *at)[0] == 0


def test_a_token_is_used_once_its_module_is_known(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    at, ring, before = ("--data-dir", str(data_dir)), StandInKeyring(), keyring.get_keyring()
    ring.entries["confvm-console", f"pkcs11-pin/{TOKEN}"] = PIN
    keyring.set_keyring(ring)
    ref = f"pkcs11:token={TOKEN};object=disks"
    try:
        with softhsm(tmp_path_factory.mktemp("hsm")):
            code, _, err = run(capsys, "look-in", "--pkcs11-module", "/nowhere.so", *at)
            assert (code, "cannot be read" in err) == (1, True)
            kept = run(capsys, "look-in", "--pkcs11-module", MODULE, "--aws-region", "eu-west-1", *at)
            assert kept[0] == 0
            assert run(capsys, "look-in", *at) == kept
            assert f"keys.pkcs11_module  {MODULE}\n" in kept[1]
            code, out, _ = run(capsys, "create", ref, "--json", *at)
            assert (code, json.loads(out)["ref"], json.loads(out)["state"]) == (0, ref, "enabled")
            assert run(capsys, "destroy", ref, "--after", "0", *at)[0] == 0
    finally:
        keyring.set_keyring(before)
