"""`confvm images download`: a vendor's image comes from its server, verified, or the command says why not."""

from __future__ import annotations

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
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.images import ImageDownload
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


def test_a_wrong_checksum_is_told_and_nothing_is_kept(
    site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = Offers(site.publish(DISK, checksum_of=b"another"))
    monkeypatch.setattr(confvm_gui.catalog, "load_catalog", lambda: offers)
    with pytest.raises(InvalidInput, match="not the vendor"):
        images(data_dir, "download", "debian-12", "--id", "mine")
    (listed,) = _listed(data_dir)
    assert (listed["id"], listed["state"]) == ("mine", "failed")
    assert not [path for path in data_dir.rglob("*") if path.is_file() and path.stat().st_size > 60_000]


@pytest.mark.parametrize("name", ["no-such", "../etc", "<x/>", "a\nb"])
def test_what_the_catalogue_does_not_have_is_refused(data_dir: Path, name: str) -> None:
    with pytest.raises(NotFound):
        images(data_dir, "download", name)


def _listed(data_dir: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(images(data_dir, "list", "--json"))
    return found
