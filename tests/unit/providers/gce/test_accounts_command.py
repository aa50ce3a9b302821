"""`confvm accounts`: a real data directory and the local Compute Engine; the keyring is in memory."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from confvm_gui.app import clouds
from confvm_gui.app.cli import main
from confvm_gui.providers.gce.permissions import CHANGING, LOOKING
from tests.support.google_accounts import MemoryShelf, key_file
from tests.support.google_compute import PROJECT, FakeCompute
from tests.support.tls_site import TlsSite


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> MemoryShelf:
    kept = MemoryShelf()
    monkeypatch.setattr(clouds, "KeyringShelf", lambda: kept)
    return kept


async def _confvm(*words: str) -> int:
    return await asyncio.to_thread(main, ["accounts", *words])


async def test_added_listed_tested_and_removed(
    google: tuple[TlsSite, FakeCompute],
    shelf: MemoryShelf,
    data_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site, fake = google
    fake.permissions = {*LOOKING, *CHANGING}
    key, where = tmp_path / "key.json", ("--data-dir", str(data_dir))
    key.write_text(key_file(site))
    assert await _confvm("list", *where) == 0
    assert "no accounts" in capsys.readouterr().out

    added = await _confvm("add", "gce", PROJECT, "--name", "prod", "--key-file", str(key), *where)
    assert (added, list(shelf.kept)) == (0, ["account:gce-prod"])
    assert "BEGIN PRIVATE" not in capsys.readouterr().out
    assert await _confvm("list", "--json", *where) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry == {"name": "gce-prod", "kind": "gce", "scope": PROJECT, "own_secret": True, "readonly": False}

    assert await _confvm("test", "gce-prod", *where) == 0
    assert "missing" not in capsys.readouterr().out
    fake.permissions = {"compute.instances.list"}
    assert await _confvm("test", "gce-prod", *where) == 1
    assert "missing: compute.instances.create, to " in capsys.readouterr().out

    assert await _confvm("remove", "gce-prod", *where) == 0
    assert shelf.kept == {}
    assert await _confvm("remove", "gce-prod", *where) == 1
    assert await _confvm("test", "gce-prod", *where) == 1


async def test_what_cannot_be_added_is_not_kept(
    google: tuple[TlsSite, FakeCompute],
    shelf: MemoryShelf,
    data_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site, fake = google
    key, where = tmp_path / "key.json", ("--data-dir", str(data_dir))
    assert await _confvm("add", "gce", PROJECT, "--key-file", str(key), *where) == 2
    assert "key-file: " in capsys.readouterr().err
    key.write_text("{")
    assert await _confvm("add", "gce", PROJECT, "--key-file", str(key), *where) == 2
    assert await _confvm("add", "moon", PROJECT, *where) == 2
    key.write_text(key_file(site))
    fake.failing = [(403, "forbidden")] * 3
    assert await _confvm("add", "gce", PROJECT, "--key-file", str(key), *where) == 1
    fake.failing.clear()
    assert shelf.kept == {}
    assert await _confvm("list", "--json", *where) == 0
    assert json.loads(capsys.readouterr().out) == []
