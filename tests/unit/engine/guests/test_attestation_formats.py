"""The attestation page, the sealing and the start state: what goes in comes out, and nothing else escapes."""

from __future__ import annotations

import contextlib
import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import GuestFault, InvalidInput
from confvm_gui.engine.guests.attestation_page import (
    MAXIMUM_SEALED,
    AttestationAnswer,
    AttestationRequest,
    PageWrite,
    empty_page,
    encode_answer,
    parse_answer,
    parse_request,
    parse_sealed,
    request_writes,
    sealed_writes,
)
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA, IMAGE_GPA
from confvm_gui.engine.guests.sealing import MAXIMUM_SECRET, GuestKey, report_data, seal_secret
from confvm_gui.sev.vmsa import Segment, Vmsa

KEYS = st.binary(min_size=32, max_size=32)
REPORT = bytes(index & 255 for index in range(0x4A0))


def written(page: bytes, writes: tuple[PageWrite, ...]) -> bytes:
    changed = bytearray(page)
    for gpa, data in writes:
        changed[gpa - ATTESTATION_GPA : gpa - ATTESTATION_GPA + len(data)] = data
    assert len(changed) == 4096
    return bytes(changed)


@given(sequence=st.integers(1, (1 << 32) - 1), nonce=KEYS)
def test_a_request_is_read_as_it_was_written(sequence: int, nonce: bytes) -> None:
    page = written(empty_page(), request_writes(sequence, nonce))
    assert parse_request(page) == AttestationRequest(sequence, nonce)
    assert parse_answer(page).sequence == 0
    assert parse_sealed(page) == b""


def test_the_sequence_is_written_behind_what_it_announces() -> None:
    assert [write.gpa for write in request_writes(1, bytes(32))] == [0xB010, 0xB008]
    assert [write.gpa for write in sealed_writes(b"x")] == [0xB810, 0xB804, 0xB800]
    assert encode_answer(AttestationAnswer(1, bytes(32), 0, REPORT))[-1].gpa == 0xB00C


@given(sequence=st.integers(1, (1 << 32) - 1), key=KEYS, status=st.integers(0, (1 << 32) - 1))
def test_an_answer_is_read_as_it_was_written(sequence: int, key: bytes, status: int) -> None:
    answer = AttestationAnswer(sequence, key, status, b"" if status else REPORT)
    page = written(written(empty_page(), request_writes(7, bytes(32))), encode_answer(answer))
    assert parse_answer(page) == answer
    assert parse_request(page).sequence == 7


@given(sealed=st.binary(min_size=1, max_size=MAXIMUM_SEALED))
def test_a_sealed_secret_is_read_as_it_was_written(sealed: bytes) -> None:
    assert parse_sealed(written(empty_page(), sealed_writes(sealed))) == sealed


@given(page=st.binary(max_size=64) | st.binary(min_size=4096, max_size=4096))
def test_no_page_makes_the_parsers_fail_otherwise(page: bytes) -> None:
    for parse in (parse_answer, parse_request, parse_sealed):
        for candidate in (page, (empty_page()[:8] + page[8:]).ljust(4096, b"\0")):
            with contextlib.suppress(GuestFault):
                parse(candidate)


@pytest.mark.parametrize(("at", "value"), [(0x54, 0x4A1), (0x54, 0), (0x50, 5), (0x54, 0xFFFFFFFF), (0, 0), (4, 2)])
def test_an_answer_that_cannot_be_is_the_guests_fault(at: int, value: int) -> None:
    page = bytearray(written(empty_page(), encode_answer(AttestationAnswer(1, bytes(32), 0, REPORT))))
    page[at : at + 4] = value.to_bytes(4, "little")
    with pytest.raises(GuestFault, match="guest"):
        parse_answer(bytes(page))


def test_what_does_not_fit_is_told_by_its_field() -> None:
    for field, call in (
        ("nonce", lambda: request_writes(1, bytes(31))),
        ("sequence", lambda: request_writes(0, bytes(32))),
        ("sequence", lambda: request_writes(1 << 32, bytes(32))),
        ("sealed", lambda: sealed_writes(b"")),
        ("sealed", lambda: sealed_writes(bytes(1025))),
        ("answer", lambda: encode_answer(AttestationAnswer(1, bytes(31), 0, REPORT))),
        ("answer", lambda: encode_answer(AttestationAnswer(1, bytes(32), 1, REPORT))),
        ("secret", lambda: seal_secret(b"", public_key=bytes(32), nonce=bytes(32))),
        ("secret", lambda: seal_secret(bytes(MAXIMUM_SECRET + 1), public_key=bytes(32), nonce=bytes(32))),
        ("public_key", lambda: seal_secret(b"x", public_key=bytes(32), nonce=bytes(32))),
        ("public_key", lambda: seal_secret(b"x", public_key=b"", nonce=bytes(32))),
        ("nonce", lambda: report_data(bytes(32), b"")),
        ("ephemeral", lambda: seal_secret(b"x", public_key=bytes(32), nonce=bytes(32), ephemeral=b"x")),
        ("vmpck", lambda: GuestKey(b"short")),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert caught.value.field == field


@given(vmpck=KEYS, nonce=KEYS, secret=st.binary(min_size=1, max_size=MAXIMUM_SECRET))
def test_a_secret_is_opened_by_its_guest_alone(vmpck: bytes, nonce: bytes, secret: bytes) -> None:
    guest, other = GuestKey(vmpck), GuestKey(hashlib.sha256(vmpck).digest())
    sealed = seal_secret(secret, public_key=guest.public_key, nonce=nonce)
    assert guest.open_secret(sealed, nonce=nonce) == secret
    assert len(sealed) == len(secret) + 48 <= MAXIMUM_SEALED
    for key, salt in ((other, nonce), (guest, bytes(a ^ 1 for a in nonce))):
        with pytest.raises(InvalidInput, match="not sealed to this key"):
            key.open_secret(sealed, nonce=salt)


@given(sealed=st.binary(max_size=1100))
def test_no_sealed_bytes_make_the_guest_fail_otherwise(sealed: bytes) -> None:
    with pytest.raises(InvalidInput):
        GuestKey(bytes(32)).open_secret(sealed, nonce=bytes(32))


def test_the_owners_side_is_as_described() -> None:
    """Held by value, so that neither end can drift without the other."""
    guest = GuestKey(bytes(range(32)))
    assert guest.public_key.hex() == "44aabaa1af8e8846ef7127f93a0201c8f39dca389f935fd822602ceee769c770"
    sealed = seal_secret(b"for this guest", public_key=guest.public_key, nonce=b"n" * 32, ephemeral=b"e" * 32)
    assert hashlib.sha256(sealed).hexdigest() == "9b0ccd0671a5e23e3bb82bf534150364d42734e17e5e7cfd8a270d6da39b6272"


def test_no_secret_is_printed_or_pickled() -> None:
    guest = GuestKey(bytes(range(32)))
    assert bytes(range(32)).hex() not in repr(guest)
    assert "_private" not in repr(guest)
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        pickle.dumps(guest)
    assert "00010203" not in repr(AttestationAnswer(1, bytes(32), 0, REPORT))


@pytest.mark.parametrize("snp", [True, False])
def test_a_guest_starts_in_long_mode_at_its_image(*, snp: bool) -> None:
    page = initial_vmsa(cpu_signature=0xA10F11, snp=snp)
    assert page == initial_vmsa(cpu_signature=0xA10F11, snp=snp)
    state = Vmsa(page)
    assert state.register("rip") == IMAGE_GPA
    assert state.register("cr3") == 0
    assert state.register("efer") == 0x1500
    assert state.register("cr0") == 0x80000033
    assert state.register("rdx") == 0xA10F11
    assert state.register("sev_features") == int(snp)
    assert state.segment("cs") == Segment(8, 0xA9B, 0xFFFFFFFF, 0)
    assert state.segment("ds") == state.segment("ss") == Segment(0x10, 0xC93, 0xFFFFFFFF, 0)


def test_the_start_state_is_measured_so_its_bytes_are_held() -> None:
    assert (
        hashlib.sha256(initial_vmsa(cpu_signature=0xA10F11, snp=True)).hexdigest()
        == "ffc5e873ce73ca90ce6482f8bf22a48d323a78b51c4b94af3cca2367c080d23f"
    )
    assert (
        hashlib.sha256(initial_vmsa(cpu_signature=0xA10F11, snp=False)).hexdigest()
        == "8852dc633cc14820a8717a669ec3c23750ba02538a6c2f5e4c8703c9707b06d1"
    )
    with pytest.raises(InvalidInput):
        initial_vmsa(cpu_signature=1 << 64, snp=True)
