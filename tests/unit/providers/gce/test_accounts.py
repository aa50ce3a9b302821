"""Accounts of Google Cloud: several at once, kept by name, their secrets nowhere but in the keyring."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from confvm_gui.domain.errors import Forbidden, InvalidInput, KeyUnavailable
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.fleet.accounts import ACCOUNTS_SETTING, AccountEntry, kept_accounts
from confvm_gui.providers.gce.credentials import KeyFile
from tests.support.google_accounts import EMAIL, MemoryShelf, cloud_session, key_file, private_key
from tests.support.google_compute import PROJECT, TOKEN, FakeCompute
from tests.support.google_rig import google_request
from tests.support.tls_site import TlsSite

OTHER = "another-project"


async def test_several_accounts_are_kept_and_opened_again(google: tuple[TlsSite, FakeCompute], data_dir: Path) -> None:
    site, fake = google
    fake.put("theirs")
    fake.put("audited", project=OTHER)
    shelf = MemoryShelf()
    async with cloud_session(data_dir, shelf) as cloud:
        first = await cloud.accounts.add("gce", PROJECT, "prod", secret=key_file(site), own_secret=True)
        second = await cloud.accounts.add("gce", OTHER, secret=key_file(site), own_secret=True, readonly=True)
        assert (first.name, second.name) == ("gce-prod", f"gce-{OTHER}")
        for name in (first.name, second.name):
            await cloud.session.inventory.connected(name)
        assert cloud.session.inventory.find("theirs", first.name)
    async with cloud_session(data_dir, shelf) as cloud:
        assert [entry.name for entry in cloud.accounts.entries()] == [first.name, second.name]
        await cloud.session.inventory.connected(second.name)
        instance = cloud.session.inventory.find("audited", second.name)
        (stop,) = await cloud.session.jobs.act(OperationKind.STOP, [instance.id])
        ended = await cloud.session.jobs.wait(stop.id)
        assert ended.status is OperationStatus.FAILED
        assert "reading only" in ended.error
        await cloud.accounts.remove(second.name)
        assert list(shelf.kept) == ["account:gce-prod"]
        assert "already" in cloud.accounts.check("gce", PROJECT, "again", secret=key_file(site), own_secret=True)


async def test_secrets_are_in_no_file_no_log_and_no_report(
    google: tuple[TlsSite, FakeCompute], data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site, fake = google
    caplog.set_level(logging.DEBUG)
    told = ""
    async with cloud_session(data_dir) as cloud:
        await cloud.accounts.add("gce", PROJECT, secret=key_file(site), own_secret=True)
        name = cloud.accounts.entries()[0].name
        await cloud.session.inventory.connected(name)
        fake.failing = [(403, "forbidden")] * 3
        try:
            await cloud.accounts.test_kept(name)
        except Forbidden as error:
            told = "".join(traceback.format_exception(error, chain=True)) + repr(cloud.session.providers)
        fake.failing.clear()
        creation = await cloud.session.jobs.create(google_request(provider=name))
        assert (await cloud.session.jobs.wait(creation.id)).status is OperationStatus.SUCCEEDED
        told += repr(KeyFile(key_file(site)))
    assert "may not do that" in told
    lines = [line for line in private_key().splitlines() if not line.startswith("-")]
    for content in (*_all_files(data_dir), caplog.text, told):
        assert TOKEN not in content
        assert not [line for line in lines if line in content]
        assert "BEGIN PRIVATE" not in content


def _all_files(folder: Path) -> list[str]:
    files = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    assert files
    return files


async def test_a_test_says_which_permissions_are_missing(google: tuple[TlsSite, FakeCompute], data_dir: Path) -> None:
    site, fake = google
    fake.put("theirs")
    fake.permissions = {"compute.instances.list", "compute.instances.get", "compute.instances.create"}
    async with cloud_session(data_dir) as cloud:
        facts = await cloud.accounts.test("gce", PROJECT, secret=key_file(site), own_secret=True)
        missing = {fact.permission for fact in facts.missing}
        assert "compute.instances.create" not in missing
        assert {"compute.instances.delete", "compute.disks.create", "compute.zones.list"} <= missing
        assert "1 instance" in facts.about
        assert cloud.accounts.entries() == ()
        assert cloud.shelf.kept == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "not an object"),
        ('{"type": "external_account"}', "service_account"),
        ('{"type": "service_account"}', "project_id"),
        ("x" * 100_000, "too large"),
    ],
)
def test_what_is_no_key_file_is_told(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        KeyFile(text)


def test_a_key_file_that_asks_for_tokens_in_the_clear_is_refused(google: tuple[TlsSite, FakeCompute]) -> None:
    content = json.loads(key_file(google[0]))
    content["token_uri"] = "http://localhost/token"
    with pytest.raises(InvalidInput, match="encrypted"):
        KeyFile(json.dumps(content))
    content = json.loads(key_file(google[0]))
    assert KeyFile(json.dumps(content)).email == EMAIL
    content["private_key"] = "nothing"
    with pytest.raises(InvalidInput) as caught:
        KeyFile(json.dumps(content)).credentials()
    assert "nothing" not in str(caught.value)


async def test_an_account_whose_key_left_the_keyring_says_so(
    google: tuple[TlsSite, FakeCompute], data_dir: Path
) -> None:
    shelf = MemoryShelf()
    async with cloud_session(data_dir, shelf) as cloud:
        await cloud.accounts.add("gce", PROJECT, "prod", secret=key_file(google[0]), own_secret=True)
    shelf.kept.clear()
    async with cloud_session(data_dir, shelf) as cloud:
        with pytest.raises(KeyUnavailable, match="add it again"):
            await cloud.session.inventory.connected("gce-prod")


async def test_reading_only_is_changed_and_told(google: tuple[TlsSite, FakeCompute], data_dir: Path) -> None:
    async with cloud_session(data_dir) as cloud:
        told: list[str] = []
        cloud.session.events.changes.subscribe(
            lambda event: told.append(event.action) if event.action.startswith("account.") else None
        )
        entry = await cloud.accounts.add("gce", PROJECT, secret=key_file(google[0]), own_secret=True)
        await cloud.accounts.set_readonly(entry.name, True)
        assert cloud.accounts.get(entry.name).readonly
        assert told == ["account.added", "account.changed"]


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [1, {}, {"name": "gce-a"}],
        [{"name": "azure-a", "kind": "gce", "scope": "p"}],
        [{"name": "gce-../x", "kind": "gce", "scope": "p"}],
        [{"name": "gce-a", "kind": "other", "scope": "p"}],
    ],
)
def test_a_damaged_list_is_read_as_far_as_it_holds(kept: object) -> None:
    assert kept_accounts({ACCOUNTS_SETTING: kept}, ["gce"]) == ()


def test_what_an_edit_left_out_is_for_reading_only() -> None:
    kept = [{"name": "gce-a", "kind": "gce", "scope": "a-project"}]
    assert kept_accounts({ACCOUNTS_SETTING: kept}, ["gce"]) == (AccountEntry("gce-a", "gce", "a-project", False, True),)


def test_no_sdk_is_loaded_at_the_start(data_dir: Path) -> None:
    """With an account on the list, too: it is loaded when the account is connected."""
    program = """
import asyncio, sys
from pathlib import Path
from confvm_gui.app.bootstrap import open_session
async def main():
    for _ in range(2):
        session = await open_session(Path(sys.argv[1]), lasting=False)
        names = [entry.name for entry in session.accounts.entries()]
        session.settings.put("cloud.accounts", [{"name": "gce-a", "kind": "gce", "scope": "a-project"}])
        await session.aclose()
    print(names, sorted({name.partition(".")[0] for name in sys.modules} & {"google", "requests", "keyring", "grpc"}))
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(data_dir)], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.stdout.strip() == "['gce-a'] []", done.stderr
