"""`confvm attest`: a fresh verdict, its bundle, and the history that a console left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from confvm_gui.app import bootstrap
from confvm_gui.app.attest_command import run_attest
from confvm_gui.app.cli import build_parser
from confvm_gui.attestation.bundle import unpack
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, Unsupported
from confvm_gui.fleet.session import FleetSession
from confvm_gui.store import open_store
from tests.support.fake_provider import make_instance
from tests.support.fake_session import fake_session
from tests.support.vouching_provider import VouchingProvider
from tests.unit.store.nouns import record

GUEST = make_instance("guest", technology=Technology.SEV_SNP, vtpm=True)
PLAIN = make_instance("plain", technology=Technology.NONE)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> VouchingProvider:
    """Whose instances the command meets, whatever data directory it is given."""
    provider = VouchingProvider((GUEST, PLAIN))

    async def open_session(_data_dir: Path, **_options: object) -> FleetSession:
        return await fake_session((GUEST, PLAIN), provider=provider, connect=False)

    monkeypatch.setattr(bootstrap, "open_session", open_session)
    return provider


def attest(*words: str) -> tuple[int, str]:
    out = StringIO()
    code = asyncio.run(run_attest(build_parser().parse_args(["attest", *words]), out))
    return code, out.getvalue()


def test_a_fresh_verdict(provider: VouchingProvider) -> None:
    code, printed = attest("guest")
    assert code == 0
    assert printed.startswith("snp-report: trusted (its root is emulated")
    code, printed = attest("guest", "--format", "tpm-quote", "--json")
    assert code == 0
    value = json.loads(printed)
    assert (value["verdict"], value["format"], value["by"]) == ("trusted", "tpm-quote", "host 1 (emulated Milan)")
    assert value["claims"]["report_data"] == provider.nonces[-1].hex()


def test_an_untrusted_one_is_said_and_told_by_the_exit_code(provider: VouchingProvider) -> None:
    provider.replayed = bytes(32)
    code, printed = attest("guest")
    assert code == 1
    assert "NOT TRUSTED" in printed
    assert "report-data-mismatch" in printed


def test_the_bundle_holds_what_was_verified(provider: VouchingProvider, tmp_path: Path) -> None:
    code, _ = attest("guest", "--export", str(tmp_path / "bundle.zip"))
    assert code == 0
    bundle = unpack((tmp_path / "bundle.zip").read_bytes())
    assert bundle.evidence.format is EvidenceFormat.SNP_REPORT
    assert provider.nonces[0] in bundle.evidence.data
    assert len(bundle.endorsements.certificates) == 3


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nobody",), NotFound),
        (("plain",), Unsupported),
        (("guest", "--format", "tarot"), InvalidInput),
        (("guest", "--format", "tdx-quote"), Unsupported),
        (("guest", "--history", "--format", "snp-report"), InvalidInput),
        (("guest", "--export", "/nowhere/bundle.zip"), InvalidInput),
        (("guest", "--history"), NotFound),
    ],
)
def test_what_cannot_be_asked_for(words: Sequence[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        attest(*words)


async def _leave(data_dir: Path, *trusted: bool) -> None:
    store = await open_store(data_dir)
    store.instances.put([GUEST])
    for number, good in enumerate(trusted):
        store.evidence.append(replace(record(number, GUEST.id, trusted=good), at=1.6e9 + number))
    await store.aclose()


def test_the_history_that_a_console_left(data_dir: Path) -> None:
    asyncio.run(_leave(data_dir, True, False))
    words = ("guest", "--history", "--data-dir", str(data_dir))
    code, printed = attest(*words)
    lines = printed.splitlines()
    assert code == 1
    assert lines[0].split()[:3] == ["at", "occasion", "format"]
    assert "NOT TRUSTED (emulated root)" in lines[1]
    assert "2020-09-13T12:26:40+00:00" in lines[2]
    code, printed = attest(*words, "--json")
    assert code == 1
    newest, oldest = map(json.loads, printed.splitlines())
    assert (newest["trusted"], newest["errors"], oldest["trusted"]) == (False, 1, True)
    asyncio.run(_leave(data_dir, True, False, True))
    assert attest(*words)[0] == 0


def test_of_what_is_not_there(data_dir: Path) -> None:
    asyncio.run(_leave(data_dir))
    with pytest.raises(NotFound, match="no verdict"):
        attest("guest", "--history", "--data-dir", str(data_dir))
    with pytest.raises(NotFound, match="other"):
        attest("other", "--history", "--data-dir", str(data_dir))
