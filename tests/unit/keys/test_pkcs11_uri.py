"""PKCS#11 URIs as references of keys (RFC 7512)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.keys.pkcs11.uri import Pkcs11Uri

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)


def short(most: int) -> st.SearchStrategy[str]:
    return PRINTABLE.filter(lambda text: len(text.encode()) <= most)


@given(
    uri=st.builds(
        Pkcs11Uri,
        object=short(128),
        token=short(32),
        manufacturer=st.just("") | short(32),
        serial=st.just("") | short(16),
        model=st.just("") | short(16),
        id=st.binary(max_size=64),
    )
)
def test_what_is_written_is_read_again(uri: Pkcs11Uri) -> None:
    if len(str(uri)) <= 1024:
        assert Pkcs11Uri.parse(str(uri)) == uri
        assert not set(str(uri)) & set(" ?#/")


NEAR = st.from_regex(r"pkcs11:(token|object|id)=.*;.*", fullmatch=True)


@given(text=st.text() | st.text().map("pkcs11:".__add__) | NEAR)
def test_anything_else_is_bad_input(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        uri = Pkcs11Uri.parse(text)
        assert Pkcs11Uri.parse(str(uri)) == uri


def test_attributes_come_in_any_order_and_are_decoded() -> None:
    uri = Pkcs11Uri.parse("pkcs11:object=disk%20keys;type=secret-key;id=%01%FF;token=Gro%C3%9Fer%3B%20Schl%C3%BCssel")
    assert uri == Pkcs11Uri(object="disk keys", token="Großer; Schlüssel", id=b"\x01\xff")
    assert Pkcs11Uri.parse("pkcs11:serial=42;object=a").place == "with serial 42"


@pytest.mark.parametrize("place", ["?", ";"])
@pytest.mark.parametrize("name", ["pin-value", "pin-source"])
def test_a_pin_in_a_reference_is_refused_and_not_repeated(place: str, name: str) -> None:
    with pytest.raises(InvalidInput, match="PIN does not belong") as caught:
        Pkcs11Uri.parse(f"pkcs11:token=t;object=o{place}{name}=0815")
    assert "0815" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pkcs11:token=t;object=o?module-path=/tmp/evil.so", "chosen in the settings"),
        ("pkcs11:token=t;object=o?module-name=evil", "chosen in the settings"),
        ("pkcs11:token=t", "named by both"),
        ("pkcs11:object=o", "named by both"),
        ("pkcs11:token=t;object=o;token=u", "stands twice"),
        ("pkcs11:token=t;object=o;slot-id=1", "does not name a key"),
        ("pkcs11:token=t;object=o;type=private", "secret keys"),
        ("pkcs11:token=t;object=o;id=", "1 to 64 bytes"),
        ("pkcs11:token=t;object=" + "o" * 129, "1 to 128 bytes"),
        ("pkcs11:token=" + "t" * 33 + ";object=o", "1 to 32 bytes"),
        ("pkcs11:token=t;object=" + "o" * 1100, "more than 1024"),
        ("pkcs11:token=t;object=a%0Ab", "of text"),
        ("pkcs11:token=t;object=%C3", "not UTF-8"),
        ("PKCS11:token=t;object=o", "named as"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Pkcs11Uri.parse(text)
