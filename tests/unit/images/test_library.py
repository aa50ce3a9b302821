"""Files added to the library, formats told by content, lists of checksums, seeds, and the command."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from contextlib import suppress
from pathlib import Path

import pycdlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.app.cli import main
from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound
from confvm_gui.domain.images import ImageKind, SeedSpec
from confvm_gui.images.checksums import find_checksum
from confvm_gui.images.disk_format import recognise_disk
from confvm_gui.images.folder import decode_record
from confvm_gui.images.library import FolderImageLibrary
from confvm_gui.images.seed import make_seed, meta_data, user_data
from tests.unit.images.vendor_site import qcow2

DIGEST = hashlib.sha256(b"x").hexdigest()
LONG = hashlib.sha512(b"x").hexdigest()


async def test_adds_disks_sparse_and_kernels(tmp_path: Path) -> None:
    images = FolderImageLibrary(tmp_path / "images")
    raw = tmp_path / "my.img"
    with raw.open("wb") as file:
        file.write(b"\x55" * 4096)
        file.truncate(64 << 20)
    added = await images.add_disk(raw, "mine")
    assert (added.kind, added.virtual_size, added.title) == (ImageKind.RAW, 64 << 20, "my.img")
    disk = (await images.files("mine")).disk
    assert disk is not None
    assert disk.stat().st_blocks * 512 <= 2 << 20
    assert disk.read_bytes() == raw.read_bytes()
    with pytest.raises(NameTaken):
        await images.add_disk(raw, "mine")
    kernel = await images.add_kernel(raw, raw, "linux", command_line="console=ttyS0")
    assert (kernel.kind, kernel.command_line) == (ImageKind.KERNEL, "console=ttyS0")
    assert (await images.files("linux")).initrd is not None
    (tmp_path / "images" / ".half.0.new").mkdir()
    assert [image.id for image in FolderImageLibrary(tmp_path / "images").images()] == ["linux", "mine"]
    assert not (tmp_path / "images" / ".half.0.new").exists()
    await images.remove("mine")
    with pytest.raises(NotFound):
        await images.files("mine")


@pytest.mark.parametrize("image_id", ["", "../up", "a/b", "Upper", ".hidden", "a..b", "x" * 65])
async def test_names_stay_in_the_folder(tmp_path: Path, image_id: str) -> None:
    with pytest.raises(InvalidInput):
        await FolderImageLibrary(tmp_path).add_disk(tmp_path, image_id)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (qcow2(backing=512), "backing"),
        (qcow2(crypt=2), "encrypted"),
        (qcow2(features=4), "another file"),
        (qcow2(extension=struct.pack(">II", 0x44415441, 8) + b"/etc/pas"), "another file"),
        (qcow2(size=1 << 60), "too large"),
        (qcow2(features=1 << 40), "not known"),
        (b"KDMV" + bytes(600), "VMDK"),
        (b"<html>" + bytes(506), "web page"),
        (b"", "empty"),
        (bytes(100), "512"),
    ],
)
def test_refuses_what_leads_elsewhere(head: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        recognise_disk(head, len(head))


@given(st.binary(max_size=300))
def test_formats_and_records_raise_nothing_else(data: bytes) -> None:
    for parse in (lambda: recognise_disk(b"QFI\xfb" + data, 1 << 20), lambda: decode_record(data)):
        with suppress(InvalidInput):
            parse()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{DIGEST} *a.img\n", ("sha256", DIGEST)),
        (f"{LONG}  a.img\n{DIGEST}  a.img\n", ("sha512", LONG)),
        (f"# a.img: 5 bytes\nSHA256 (a.img) = {DIGEST}\n", ("sha256", DIGEST)),
        (f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSHA512 (a.img) = {LONG}\n", ("sha512", LONG)),
    ],
)
def test_lists_of_checksums(text: str, expected: tuple[str, str]) -> None:
    assert find_checksum(text.encode(), "a.img") == expected


@pytest.mark.parametrize(
    "text", ["", f"{DIGEST}  b.img", f"{DIGEST}  a.img\n{'0' * 64}  a.img", f"SHA512 (a.img) = {DIGEST}"]
)
def test_lists_that_do_not_tell(text: str) -> None:
    with pytest.raises(InvalidInput):
        find_checksum(text.encode(), "a.img")


HOSTILE = "x\n---\nruncmd: [reboot]\n#cloud-config\n\"'}]\u2028 {{ds}}"


def test_a_seed_is_a_disk_called_cidata() -> None:
    spec = SeedSpec("web-1", "admin", ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me",), (("/root/canary", HOSTILE),))
    disk = pycdlib.PyCdlib()
    disk.open_fp(io.BytesIO(make_seed(spec)))
    assert disk.pvd.volume_identifier.rstrip() == b"cidata"
    for name, expected in (("user-data", user_data(spec)), ("meta-data", meta_data(spec))):
        out = io.BytesIO()
        disk.get_file_from_iso_fp(out, rr_path=f"/{name}")
        assert out.getvalue() == expected
    disk.close()
    first, _, rest = user_data(spec).partition(b"\n")
    config = json.loads(rest)
    assert first == b"#cloud-config"
    assert set(config) == {"hostname", "preserve_hostname", "users", "write_files"}
    assert config["write_files"][0]["content"] == HOSTILE


@pytest.mark.parametrize(
    "spec",
    [
        SeedSpec("a\nb"),
        SeedSpec("a", user="root: x"),
        SeedSpec("a", ssh_keys=("ssh-rsa AAAA\nruncmd:",)),
        SeedSpec("a", files=(("relative", ""),)),
        SeedSpec("a", files=(("/a/../b", ""),)),
    ],
)
def test_a_hostile_seed_is_refused(spec: SeedSpec) -> None:
    with pytest.raises(InvalidInput):
        make_seed(spec)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / "a.qcow2"
    image.write_bytes(qcow2())
    there = ["--json", "--data-dir", str(tmp_path / "data")]
    assert main(["images", "add", str(image), "--id", "a", *there]) == 0
    assert main(["images", "list", *there]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])[0]["id"] == "a"
    assert main(["images", "remove", "a", *there]) == 0
    assert main(["images", "remove", "a", *there]) == 1
    assert main(["images", "download", "no-such", *there]) == 1
