"""Sealed data sets, agreements on them and requests for their release, with real cryptography."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.release import Conditions
from confvm_gui.domain.sealed_set import (
    CHUNK_BYTES,
    OwnerCard,
    OwnerKeys,
    SealedSet,
    open_ciphertext,
    seal_set,
    set_key,
)
from confvm_gui.domain.shared_data import (
    Agreement,
    ReleaseRequest,
    build_shared_disk,
    meeting_nonce,
    propose,
    seal_release,
)

PLAIN = bytes(range(256)) * 600  # three chunks
CONDITIONS = Conditions(measurements=(b"\x11" * 48,), minimum={"reported_tcb.snp": 22})


@dataclass(frozen=True)
class Pair:
    """Two owners with one sealed set each."""

    keys: tuple[OwnerKeys, OwnerKeys]
    cards: tuple[OwnerCard, OwnerCard]
    files: tuple[bytes, bytes]
    sets: tuple[SealedSet, SealedSet]

    def agreement(self) -> Agreement:
        return propose("study", self.sets, CONDITIONS)


def seal_pair() -> Pair:
    ada, ben = (OwnerKeys(OwnerKeys.generate()) for _ in range(2))
    cards = (ada.card("Ada"), ben.card("Ben"))
    of_ada, of_ben = (
        seal_set(PLAIN, keys, name, cards, rows=3, columns=("id", "age")) for keys, name in ((ada, "Ada"), (ben, "Ben"))
    )
    return Pair((ada, ben), cards, (of_ada, of_ben), (SealedSet.decode(of_ada), SealedSet.decode(of_ben)))


PAIR = seal_pair()
AGREED = PAIR.agreement().approved_by(PAIR.keys[0]).approved_by(PAIR.keys[1])


def test_all_shares_together_open_a_set_and_none_alone_does() -> None:
    sealed = PAIR.sets[0]
    shares = [keys.share_of(sealed) for keys in PAIR.keys]
    assert open_ciphertext(sealed.ciphertext, set_key(sealed.set_id, shares)) == PLAIN
    for known in ([shares[0]], [shares[1]], [shares[0], shares[0]], [shares[0], bytes(32)], shares[::-1]):
        with pytest.raises(InvalidInput):
            open_ciphertext(sealed.ciphertext, set_key(sealed.set_id, known))


def test_a_share_of_another_set_opens_nothing() -> None:
    ours, theirs = PAIR.sets
    mixed = [PAIR.keys[0].share_of(ours), PAIR.keys[1].share_of(theirs)]
    with pytest.raises(InvalidInput):
        open_ciphertext(ours.ciphertext, set_key(ours.set_id, mixed))


def test_a_sealed_set_shows_nothing_of_its_plain_text_nor_of_a_share() -> None:
    shares = [keys.share_of(PAIR.sets[0]) for keys in PAIR.keys]
    assert PLAIN[:64] not in PAIR.files[0]
    assert not any(share in PAIR.files[0] or share.hex().encode() in PAIR.files[0] for share in shares)


def test_a_stranger_has_no_share() -> None:
    with pytest.raises(InvalidInput, match="not sealed for this owner"):
        OwnerKeys(OwnerKeys.generate()).share_of(PAIR.sets[0])


@pytest.mark.parametrize("cut", [1, 16, CHUNK_BYTES, len(PAIR.sets[0].ciphertext) - 1])
def test_a_set_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(InvalidInput):
        SealedSet.decode(PAIR.files[0][:-cut])


@given(at=st.integers(0, len(PAIR.files[0]) - 1), bit=st.integers(0, 7))
def test_every_altered_bit_of_a_set_is_found(at: int, bit: int) -> None:
    data = bytearray(PAIR.files[0])
    data[at] ^= 1 << bit
    with pytest.raises(InvalidInput):
        SealedSet.decode(bytes(data))


def test_an_agreement_travels_and_counts_only_once_all_approved() -> None:
    proposed = Agreement.decode(PAIR.agreement().encode())
    assert proposed.missing == ("Ada", "Ben")
    by_ada, by_ben = (proposed.approved_by(keys) for keys in PAIR.keys)
    with pytest.raises(InvalidInput, match="not approved by Ben"):
        by_ada.require_approved()
    joined = Agreement.decode(by_ada.encode()).joined(Agreement.decode(by_ben.encode()))
    joined.require_approved()
    assert joined.digest == proposed.digest


def forge(change: Callable[[dict[str, Any]], None]) -> bytes:
    content = json.loads(AGREED.encode())
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["terms"]["conditions"].update(measurements=["22" * 48]),
        lambda content: content["terms"]["conditions"].update(minimum={}),
        lambda content: content["terms"]["conditions"].update(measurements=[]),
        lambda content: content["terms"]["conditions"].update(
            roots=[{"name": "mine", "spki_sha256": "00" * 32, "emulated": True}]
        ),
        lambda content: content["terms"].update(asker=1),
        lambda content: content["terms"].update(max_age=86400),
        lambda content: content["terms"]["sets"].reverse(),
        lambda content: content["terms"]["owners"].reverse(),
        lambda content: content["signatures"].reverse(),
        lambda content: content["terms"].update(more=1),
    ],
)
def test_a_forged_agreement_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(InvalidInput) as refused:
        Agreement.decode(forge(change))
    assert refused.value.field == "agreement"


def test_approvals_of_other_terms_are_not_joined() -> None:
    with pytest.raises(InvalidInput, match="differs"):
        AGREED.joined(replace(AGREED, max_age=1))


def test_a_stranger_approves_nothing() -> None:
    with pytest.raises(InvalidInput, match="among its owners"):
        AGREED.approved_by(OwnerKeys(OwnerKeys.generate()))


def test_other_sets_than_those_agreed_on_make_no_disk() -> None:
    another = SealedSet.decode(seal_set(PLAIN, PAIR.keys[1], "Ben", PAIR.cards, rows=3, columns=("id",)))
    for sets in ([PAIR.sets[0], another], [PAIR.sets[0]], [*PAIR.sets, another]):
        with pytest.raises(InvalidInput) as refused:
            build_shared_disk(AGREED, sets)
        assert refused.value.field == "sets"


def test_the_disk_does_not_depend_on_the_order_in_which_files_are_given() -> None:
    assert build_shared_disk(AGREED, PAIR.sets[::-1]) == build_shared_disk(AGREED, PAIR.sets)


def test_the_nonce_of_a_meeting_names_the_agreement_and_every_owner() -> None:
    nonces = (b"a" * 32, b"b" * 32)
    of = {
        meeting_nonce(AGREED.digest, nonces),
        meeting_nonce(AGREED.digest, nonces[::-1]),
        meeting_nonce(AGREED.digest, (b"a" * 32, b"c" * 32)),
        meeting_nonce(PAIR.agreement().digest[::-1], nonces),
    }
    assert len(of) == 4


def test_only_who_asks_releases_a_key_for_questions() -> None:
    shares = [PAIR.keys[1].share_of(sealed) for sealed in AGREED.ordered(PAIR.sets)]
    report_data = PAIR.cards[0].sealing_key + bytes(32)
    for owner, key in ((0, b""), (1, bytes(32))):
        with pytest.raises(InvalidInput):
            seal_release(AGREED, owner, shares, report_data=report_data, mailbox_key=key)
    with pytest.raises(InvalidInput):
        seal_release(AGREED, 1, shares[:1], report_data=report_data)


def test_cards_and_requests_survive_their_files() -> None:
    assert OwnerCard.decode(PAIR.cards[0].encode()) == PAIR.cards[0]
    request = ReleaseRequest(AGREED.digest, (b"a" * 32, b"b" * 32), b"bundle")
    assert ReleaseRequest.decode(request.encode()) == request


def test_owners_keys_are_not_shown() -> None:
    assert repr(PAIR.keys[0]) == "<OwnerKeys>"
    with pytest.raises(TypeError):
        PAIR.keys[0].__reduce_ex__(2)


DECODERS: tuple[Callable[[bytes], object], ...] = (
    OwnerCard.decode,
    SealedSet.decode,
    Agreement.decode,
    ReleaseRequest.decode,
)
KINDS = (OwnerCard, SealedSet, Agreement, ReleaseRequest)
FILES = (
    PAIR.cards[0].encode(),
    PAIR.files[0][:4096],
    AGREED.encode(),
    ReleaseRequest(AGREED.digest, (b"a" * 32,), b"bundle").encode(),
)


@given(which=st.integers(0, 3), data=st.binary(max_size=300))
def test_nothing_but_a_refusal_comes_of_any_bytes(which: int, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        DECODERS[which](data)


@given(which=st.integers(0, 3), at=st.integers(0, 4095), put=st.binary(max_size=6))
def test_a_damaged_file_is_read_or_refused(which: int, at: int, put: bytes) -> None:
    data = FILES[which]
    at %= len(data)
    with suppress(InvalidInput):
        assert isinstance(DECODERS[which](data[:at] + put + data[at + len(put) :]), KINDS[which])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(which=st.sampled_from((0, 2, 3)), value=JSON, place=st.integers(0, 9), name=st.integers(0, 9))
def test_a_field_of_any_other_type_is_read_or_refused(which: int, value: object, place: int, name: int) -> None:
    content = json.loads(FILES[which])
    parts = [content, *(part for part in content.values() if isinstance(part, dict))]
    part = parts[place % len(parts)]
    part[sorted(part)[name % len(part)]] = value
    with suppress(InvalidInput):
        assert isinstance(DECODERS[which](json.dumps(content).encode()), KINDS[which])
