"""Download addresses in a catalogue's images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.resource_files import resources_dir


def changed(tmp_path: Path, old: str, new: str) -> Path:
    folder = tmp_path / "catalog"
    folder.mkdir()
    for path in (resources_dir() / "catalog").glob("*.toml"):
        if path.name == "technologies.toml" or path.name.startswith("libvirt-"):
            shutil.copy(path, folder)
    images = folder / "libvirt-images.toml"
    text = images.read_text()
    assert old in text
    images.write_text(text.replace(old, new, 1))
    return folder


def test_an_image_tells_where_it_is_published() -> None:
    download = load_catalog().image("libvirt", "ubuntu-24.04").download
    assert download is not None
    assert download.url.startswith("https://cloud-images.ubuntu.com/")
    assert download.signed_by == ("D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81",)
    assert load_catalog().image("gce", "ubuntu-2004-lts").download is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('url = "https://cloud', 'url = "http://cloud', "https"),
        ('checksums_url = "https://cloud', 'checksums_url = "https://a b', "https"),
        ('key_url = "https://keyserver', 'key_url = "file:///keyserver', "https"),
        ("D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81", "D2EB4462", "fingerprints"),
        ('signed_by = ["D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81"]\n', "", "together"),
        ("checksums_url", "checksum_url", "missing"),
    ],
)
def test_a_bad_download_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    # The first "url" of the file is a source's: what is changed stands in the first image.
    with pytest.raises(InvalidInput, match=why):
        load_catalog(changed(tmp_path, old, new))
