"""The guests' own cryptography, compiled for this machine: published answers, and the same as `cryptography` gives.

Without a compiler for x86-64 this file is not collected (see `conftest.py`): there is nothing to call then, and
`test_snp_guest.py` runs all of it in the shipped images.
"""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.resource_files import resources_dir

SOURCES = resources_dir() / "guests" / "source"
FILES = ("platform.c", "aes.c", "ccm.c", "gcm.c", "sha256.c", "x25519.c")
P = (1 << 255) - 19
KEYS = st.binary(min_size=32, max_size=32)


class Associated(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("length", ctypes.c_size_t))


class AesKey(ctypes.Structure):
    """`struct aes`, with room to spare for its alignment."""

    _fields_ = (("words", ctypes.c_uint8 * 512),)


class Primitives:
    """The C functions, taking and giving bytes."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._c = library
        for name in ("x25519", "ccm_open", "gcm_open"):
            getattr(library, name).restype = ctypes.c_bool
        for name in ("ccm_seal", "gcm_seal", "ccm_open", "gcm_open"):
            getattr(library, name).argtypes = (
                ctypes.c_void_p,
                ctypes.c_char_p,
                Associated,
                ctypes.c_char_p,
                ctypes.c_size_t,
                ctypes.c_char_p,
            )
        self._c.aes_setup()

    def x25519(self, scalar: bytes, u: bytes) -> tuple[bytes, bool]:
        out = ctypes.create_string_buffer(32)
        good = self._c.x25519(out, scalar, u)
        return out.raw, bool(good)

    def x25519_public(self, scalar: bytes) -> bytes:
        out = ctypes.create_string_buffer(32)
        self._c.x25519_public(out, scalar)
        return out.raw

    def sha256(self, parts: list[bytes]) -> bytes:
        state, out = ctypes.create_string_buffer(128), ctypes.create_string_buffer(32)
        self._c.sha256_begin(state)
        for part in parts:
            self._c.sha256_add(state, part, ctypes.c_size_t(len(part)))
        self._c.sha256_end(state, out)
        return out.raw

    def hmac(self, key: bytes, first: bytes, second: bytes) -> bytes:
        out, size = ctypes.create_string_buffer(32), ctypes.c_size_t
        self._c.hmac_sha256(out, key, size(len(key)), first, size(len(first)), second, size(len(second)))
        return out.raw

    def hkdf(self, salt: bytes, secret: bytes, info: bytes) -> bytes:
        out, size = ctypes.create_string_buffer(32), ctypes.c_size_t
        self._c.hkdf_sha256(out, salt, size(len(salt)), secret, size(len(secret)), info, size(len(info)))
        return out.raw

    def seal(self, mode: str, key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag."""
        data, tag = ctypes.create_string_buffer(text, len(text) + 1), ctypes.create_string_buffer(16)
        what = Associated(associated or None, len(associated))
        getattr(self._c, f"{mode}_seal")(self._key(key), nonce, what, data, len(text), tag)
        return data.raw[: len(text)] + tag.raw

    def open(self, mode: str, key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> tuple[bytes, bool]:
        length = len(sealed) - 16
        data = ctypes.create_string_buffer(sealed[:length], length + 1)
        what = Associated(associated or None, len(associated))
        good = getattr(self._c, f"{mode}_open")(self._key(key), nonce, what, data, length, sealed[length:])
        return data.raw[:length], bool(good)

    def _key(self, key: bytes) -> int:
        self._room = AesKey()
        address = (ctypes.addressof(self._room) + 15) & ~15
        self._c.aes_key(ctypes.c_void_p(address), key)
        return address


@cache
def compiled() -> Primitives:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "guest.so"
        flags = ["-std=c11", "-O2", "-march=x86-64", "-ffreestanding", "-fPIC", "-shared", "-Wl,-Bsymbolic"]
        flags += ["-fno-tree-loop-distribute-patterns", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]
        command = ["gcc", *flags, *(str(SOURCES / name) for name in FILES), "-o", str(library)]
        subprocess.run(command, check=True, capture_output=True)
        return Primitives(ctypes.CDLL(str(library)))


def number(value: int) -> bytes:
    return value.to_bytes(32, "little")


@pytest.mark.parametrize(
    ("scalar", "u", "result"),
    [
        (  # RFC 7748, 5.2
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (  # its top bit is to be ignored
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ],
)
def test_x25519_gives_the_answers_of_rfc_7748(scalar: str, u: str, result: str) -> None:
    assert compiled().x25519(bytes.fromhex(scalar), bytes.fromhex(u)) == (bytes.fromhex(result), True)


def test_x25519_after_a_thousand_rounds() -> None:
    """RFC 7748, 5.2: each result is the next scalar, each scalar the next point."""
    k = u = number(9)
    for count in range(1000):
        k, u = compiled().x25519(k, u)[0], k
        if count == 0:
            assert k.hex() == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    assert k.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


@given(scalar=KEYS, u=KEYS | st.integers(P - 40, P + 18).map(number) | st.integers(2, 40).map(number))
def test_x25519_is_that_of_the_library(scalar: bytes, u: bytes) -> None:
    private = X25519PrivateKey.from_private_bytes(scalar)
    assert compiled().x25519_public(scalar) == private.public_key().public_bytes_raw()
    try:
        expected = (private.exchange(X25519PublicKey.from_public_bytes(u)), True)
    except ValueError:  # a point of small order
        expected = (bytes(32), False)
    assert compiled().x25519(scalar, u) == expected


@pytest.mark.parametrize(
    "u",
    [
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
    ],
)
def test_points_of_small_order_are_told(u: int) -> None:
    assert compiled().x25519(bytes(range(32)), number(u)) == (bytes(32), False)


@given(parts=st.lists(st.binary(max_size=150), max_size=4))
def test_sha_256_is_that_of_the_library(parts: list[bytes]) -> None:
    assert compiled().sha256(parts) == hashlib.sha256(b"".join(parts)).digest()


@pytest.mark.parametrize("length", [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])
def test_sha_256_pads_every_length(length: int) -> None:
    data = bytes(index & 255 for index in range(length))
    assert compiled().sha256([data]) == hashlib.sha256(data).digest()


@given(key=st.binary(max_size=64), first=st.binary(max_size=100), second=st.binary(max_size=100))
def test_hmac_is_that_of_the_library(key: bytes, first: bytes, second: bytes) -> None:
    reference = HMAC(key, SHA256())
    reference.update(first + second)
    assert compiled().hmac(key, first, second) == reference.finalize()


@pytest.mark.parametrize(
    ("salt", "info", "result"),
    [
        (  # RFC 5869, A.1
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        ("", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),  # A.3
    ],
)
def test_hkdf_gives_the_answers_of_rfc_5869(salt: str, info: str, result: str) -> None:
    found = compiled().hkdf(bytes.fromhex(salt), bytes([0x0B]) * 22, bytes.fromhex(info))
    assert found == bytes.fromhex(result)


@given(salt=st.binary(max_size=64), secret=st.binary(max_size=64), info=st.binary(max_size=40))
def test_hkdf_is_that_of_the_library(salt: bytes, secret: bytes, info: bytes) -> None:
    assert compiled().hkdf(salt, secret, info) == HKDF(SHA256(), 32, salt, info).derive(secret)


GCM_KEY = "feffe9928665731c6d6a8f9467308308" * 2
GCM_TEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)


@pytest.mark.parametrize(
    ("key", "nonce", "text", "associated", "sealed"),
    [
        ("00" * 32, "00" * 12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"),  # test case 13
        ("00" * 32, "00" * 12, "00" * 16, "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        (  # test case 16
            GCM_KEY,
            "cafebabefacedbaddecaf888",
            GCM_TEXT,
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ],
)
def test_gcm_gives_the_answers_that_were_submitted_to_nist(
    key: str, nonce: str, text: str, associated: str, sealed: str
) -> None:
    arguments = [bytes.fromhex(part) for part in (key, nonce, text, associated)]
    assert compiled().seal("gcm", *arguments).hex() == sealed


@pytest.mark.parametrize("mode", ["gcm", "ccm"])
@given(key=KEYS, seed=st.binary(min_size=13, max_size=13), text=st.binary(max_size=90), more=st.binary(max_size=90))
def test_sealing_is_that_of_the_library(mode: str, key: bytes, seed: bytes, text: bytes, more: bytes) -> None:
    nonce = seed[:12] if mode == "gcm" else seed
    library = AESGCM(key) if mode == "gcm" else AESCCM(key, tag_length=16)
    sealed = library.encrypt(nonce, text, more)
    assert compiled().seal(mode, key, nonce, text, more) == sealed
    assert compiled().open(mode, key, nonce, sealed, more) == (text, True)


@pytest.mark.parametrize("mode", ["gcm", "ccm"])
@given(data=st.data(), text=st.binary(min_size=1, max_size=60), more=st.binary(min_size=1, max_size=40))
def test_one_flipped_bit_anywhere_opens_nothing(mode: str, data: st.DataObject, text: bytes, more: bytes) -> None:
    key, nonce = bytes(range(32)), bytes(12 if mode == "gcm" else 13)
    whole = bytearray(compiled().seal(mode, key, nonce, text, more) + more)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    end = len(whole) - len(more)
    assert compiled().open(mode, key, nonce, bytes(whole[:end]), bytes(whole[end:])) == (bytes(len(text)), False)
