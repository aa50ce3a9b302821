"""What vendors and disks hold, with changes: nothing but InvalidInput, and in time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pysequoia
import pytest

from confvm_gui.domain.images import ImageKind, ImageState, LibraryImage
from confvm_gui.images.checksums import find_checksum
from confvm_gui.images.disk_format import recognise_disk
from confvm_gui.images.folder import StoredImage, decode_record, encode_record
from confvm_gui.images.signatures import verify_signature
from tests.fuzz.mutation import hold, inputs_for_each
from tests.unit.images.vendor_site import qcow2

Target = tuple[Callable[[bytes], object], list[bytes]]
DIGEST = hashlib.sha256(b"x").hexdigest()


def disks() -> Target:
    corpus = [qcow2()[:1024], qcow2(backing=512)[:512], bytes(1024), b"KDMV" + bytes(508)]
    return lambda data: recognise_disk(data, len(data)), corpus


def lists() -> Target:
    corpus = [f"{DIGEST} *a.img\n".encode() * 20, f"SHA256 (a.img) = {DIGEST}\n".encode()]
    return lambda data: find_checksum(data, "a.img"), corpus


def records() -> Target:
    image = LibraryImage("a", "A", ImageKind.RAW, ImageState.READY, 1, 512, DIGEST, 1.5, "/a")
    return decode_record, [encode_record(StoredImage(image, '"e"', "https://a/b"))]


def signatures() -> Target:
    key = pysequoia.Tsk.generate("Vendor <vendor@example.org>")
    certificate = key.extract_certificate()
    keys, pinned = bytes(certificate), (certificate.fingerprint,)
    corpus = [bytes(pysequoia.sign(key.signer(), b"sums", mode=pysequoia.SignatureMode.DETACHED)), keys]

    def target(data: bytes) -> None:
        verify_signature(b"sums", data, keys, pinned)

    return target, corpus[:1]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", [disks, lists, records, signatures], ids=lambda make: str(make.__name__))
def test_nothing_but_invalid_input_and_in_time(make: Callable[[], Target]) -> None:
    target, corpus = make()
    assert hold(target, corpus, make.__name__) == inputs_for_each()
