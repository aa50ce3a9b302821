"""`confvm policy`: answers and exit codes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.app.bootstrap import open_session
from confvm_gui.app.cli import main
from confvm_gui.domain.policy import Assignment, Mode, Pack, Rule
from confvm_gui.fleet.launch.request_file import load_request, save_request
from confvm_gui.policy.pack_file import dump_pack
from confvm_gui.store import open_store
from tests.support.embedded_rig import launch_request
from tests.unit.store.nouns import instance

REQUEST = replace(launch_request("probe"), labels={"owner": "ops"}, disk_key="pkcs11:token=hsm")


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.toml"
    save_request(REQUEST, path)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_denied_request_is_1_and_its_fix_is_0(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, request_file: Path
) -> None:
    fixed = tmp_path / "fixed.toml"
    common = ("--pack", "government", "--json", "--data-dir", tmp_path / "data")
    code, out, _ = run(capsys, "policy", "check", request_file, *common, "--fix", fixed)
    answer = json.loads(out)
    assert code == 1
    assert not answer["allowed"]
    assert {finding["rule"] for finding in answer["findings"]} == {"us-regions", "secure-boot-on", "supported-image"}
    assert {"region", "secure_boot", "image"} <= {change["field"] for change in answer["fix"]["changes"]}
    assert answer["fix"]["passes"]
    code, out, _ = run(capsys, "policy", "check", fixed, *common)
    assert (code, json.loads(out)["allowed"]) == (0, True)
    assert load_request(fixed).secure_boot
    assert not (tmp_path / "data").exists()


def test_says_in_words_what_is_wrong_and_what_would_pass(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, request_file: Path
) -> None:
    code, out, _ = run(capsys, "policy", "check", request_file, "--pack", "government", "--data-dir", tmp_path / "data")
    assert code == 1
    assert "government/us-regions (enforce, region)" in out
    assert "Would pass with" in out
    assert "secure_boot: false -> true" in out


def test_without_packs_what_is_on_counts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, request_file: Path
) -> None:
    code, out, _ = run(capsys, "policy", "check", request_file, "--data-dir", tmp_path / "data")
    assert (code, out) == (0, "Allowed: no rule looks at this request\n")

    async def switch_on() -> None:
        async with await open_store(tmp_path / "data") as store:
            store.policies.put_assignments([Assignment("government", 1, Mode.ENFORCE)])

    asyncio.run(switch_on())
    code, _, _ = run(capsys, "policy", "check", request_file, "--data-dir", tmp_path / "data")
    assert code == 1
    code, out, _ = run(capsys, "policy", "list", "--json", "--data-dir", tmp_path / "data")
    on = {row["name"]: [each["mode"] for each in row["on"]] for row in json.loads(out)}
    assert on == {"european-residence": [], "google-launch": [], "government": ["enforce"], "hygiene": []}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("check", "REQUEST", "--pack", "nobody"), "pack: There is no pack 'nobody'"),
        (("check", "REQUEST", "--pack", "REQUEST"), "pack: The pack cannot be read"),
        (("check", "missing.toml", "--pack", "hygiene"), "request: missing.toml cannot be read"),
        (("test", "missing.toml"), "pack: missing.toml cannot be read"),
        (("show", "hygiene@9"), "pack: There is no pack 'hygiene' in version 9"),
    ],
)
def test_bad_input_is_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, request_file: Path, words: tuple[str, ...], reason: str
) -> None:
    given = [str(request_file) if word == "REQUEST" else word for word in words]
    code, out, err = run(capsys, "policy", *given, "--data-dir", tmp_path / "data")
    assert (code, out) == (2, "")
    assert err.startswith(f"confvm: {reason}")
    assert err.count("\n") == 1


def test_a_pack_that_is_shown_can_be_taken_from_a_file_and_tested_on_the_fleet(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def fill() -> None:
        async with await open_store(tmp_path / "data") as store:
            found = replace(instance(1), provider="embedded")
            store.instances.put([found, replace(found, id="f" * 32, name="second")])

    asyncio.run(fill())
    code, text, _ = run(capsys, "policy", "show", "hygiene", "--data-dir", tmp_path / "data")
    assert code == 0
    own = tmp_path / "own.toml"
    own.write_text(text.replace('name = "hygiene"', 'name = "ours"'), encoding="utf-8")
    code, out, _ = run(capsys, "policy", "test", own, "--json", "--data-dir", tmp_path / "data")
    answer = json.loads(out)
    assert (code, answer["pack"], answer["instances"], answer["compliant"]) == (1, "ours", 2, 0)
    assert len(answer["rules"]["owner-labelled"]) == 2
    own.write_text(
        'confvm_pack = 1\nname = "easy"\nversion = 1\ntitle = "Easy"\n\n[[rules]]\nid = "any"\ntitle = "Any"\n'
        'expression = "vm.observed"\nfield = "name"\n',
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "policy", "test", own, "--data-dir", tmp_path / "data")
    assert (code, out) == (0, "2 of 2 instances comply with easy 1\n")


def test_a_report_is_written_and_says_whether_all_comply(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    async def fill() -> None:
        async with await open_store(tmp_path / "data") as store:
            store.instances.put([replace(instance(1), provider="embedded")])
            store.policies.put_assignments([Assignment("hygiene", 1, Mode.ENFORCE)])

    asyncio.run(fill())
    page = tmp_path / "report.html"
    code, out, _ = run(capsys, "policy", "report", page, "--json", "--data-dir", tmp_path / "data")
    answer = json.loads(out)
    assert (code, answer["instances"], answer["violating"]) == (1, 1, 1)
    assert hashlib.sha256(page.read_bytes()).hexdigest() == answer["sha256"]
    assert "hygiene/owner-labelled" in page.read_text("utf-8")
    code, out, err = run(capsys, "policy", "report", tmp_path / "no" / "report.html", "--data-dir", tmp_path / "data")
    assert (code, out) == (2, "")
    assert "cannot be written" in err


async def test_packs_are_signed_by_the_data_directory_and_checked_where_it_is_only_read(data_dir: Path) -> None:
    rule = Rule("labelled", "Somebody answers for it", "has(vm.labels.owner)", "labels.owner")
    session = await open_session(data_dir)
    rules = session.guard.rules
    rules.import_pack(dump_pack(Pack("ours", 1, "Ours", "", (rule,))))
    assert await rules.signature_of(rules.pack("ours")) == "unsigned"
    signed = await rules.sign_pack("ours")
    assert await rules.signature_of(signed) == "signed"
    await session.aclose()
    reading = await open_session(data_dir, readonly=True)
    kept = reading.guard.rules.pack("ours")
    assert kept.signature == signed.signature
    assert await reading.guard.rules.signature_of(kept) == "signed"
    changed = replace(kept, title="Theirs")
    assert await reading.guard.rules.signature_of(changed) == "bad"
    await reading.aclose()
