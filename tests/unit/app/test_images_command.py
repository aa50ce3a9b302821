"""`confvm images download`: a vendor's image comes from its server, verified, or the command says why not."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import confvm_gui.catalog
from confvm_gui.app.cli import build_parser
from confvm_gui.app.images_command import run_images
from confvm_gui.catalog import load_catalog
from confvm_gui.domain.catalogue import Image
from confvm_gui.domain.errors import Forbidden, InvalidInput, NotFound
from confvm_gui.domain.event import CHECKPOINT_ACTION, AuditFilter, Event
from confvm_gui.domain.images import ImageDownload
from confvm_gui.store import open_store
from tests.unit.images.vendor_site import Site, qcow2, running

DISK = qcow2(tail=60_000)


class Offers:
    """The catalogue, with the addresses of one image on this computer."""

    def __init__(self, download: ImageDownload) -> None:
        self._download = download

    def image(self, cloud: str, name: str) -> Image:
        return replace(load_catalog().image(cloud, name), download=self._download)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with running(Site(), tmp_path) as site:
        monkeypatch.setenv("SSL_CERT_FILE", str(site.ca_file))
        yield site


def images(data_dir: Path, *arguments: str) -> str:
    out = io.StringIO()
    options = build_parser().parse_args(["images", *arguments, "--data-dir", str(data_dir)])
    assert run_images(options, out) == 0
    return out.getvalue()


def test_an_image_is_downloaded_verified_and_listed(
    site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = Offers(site.publish(DISK))
    monkeypatch.setattr(confvm_gui.catalog, "load_catalog", lambda: offers)
    (told,) = json.loads(images(data_dir, "download", "debian-12", "--json"))
    assert (told["id"], told["state"], told["kind"], told["verified"]) == ("debian-12", "ready", "qcow2", "SHA256SUMS")
    assert told["source"] == site.url("/disk.qcow2")
    assert "debian-12" in images(data_dir, "list")
    assert images(data_dir, "remove", "debian-12") == "debian-12 removed.\n"
    assert images(data_dir, "list") == "The library has no images.\n"
    events = asyncio.run(_told(data_dir))
    signed = CHECKPOINT_ACTION
    assert [event.action for event in events] == ["image.download", signed, "image.removed", signed]
    assert events[0].detail["from"] == site.url("/disk.qcow2")


def test_what_is_done_beside_an_open_console_is_said_not_to_be_in_its_log(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(DISK)

    async def console() -> None:
        async with await open_store(data_dir):
            await asyncio.to_thread(images, data_dir, "add", str(disk), "--id", "mine")

    asyncio.run(console())
    assert "not in the audit log: " in capsys.readouterr().err
    assert asyncio.run(_told(data_dir)) == []


def test_a_viewer_changes_no_image(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "roles.toml").write_text('[users]\nbob = ["administrator"]\n')
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(DISK)
    with pytest.raises(Forbidden, match="viewer here and may not"):
        images(data_dir, "add", str(disk), "--id", "mine")
    assert images(data_dir, "list") == "The library has no images.\n"
    assert asyncio.run(_told(data_dir))[0].action == "access.denied"


def test_a_wrong_checksum_is_told_and_nothing_is_kept(
    site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = Offers(site.publish(DISK, checksum_of=b"another"))
    monkeypatch.setattr(confvm_gui.catalog, "load_catalog", lambda: offers)
    with pytest.raises(InvalidInput, match="not the vendor"):
        images(data_dir, "download", "debian-12", "--id", "mine")
    (listed,) = _listed(data_dir)
    assert (listed["id"], listed["state"]) == ("mine", "failed")
    assert not [path for path in (data_dir / "images").rglob("*") if path.is_file() and path.stat().st_size > 60_000]


@pytest.mark.parametrize("name", ["no-such", "../etc", "<x/>", "a\nb"])
def test_what_the_catalogue_does_not_have_is_refused(data_dir: Path, name: str) -> None:
    with pytest.raises(NotFound):
        images(data_dir, "download", name)


async def _told(data_dir: Path) -> list[Event]:
    """All events, oldest first."""
    async with await open_store(data_dir, readonly=True) as store:
        return [record.event for record in await store.audit.search(AuditFilter(), limit=99, after=0)]


def _listed(data_dir: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(images(data_dir, "list", "--json"))
    return found
