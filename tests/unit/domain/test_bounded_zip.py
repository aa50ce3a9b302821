"""Zips read with limits: what is no zip, or too much of one, is refused and nothing else happens."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.bounded_zip import ZipLimits, pack_zip, unpack_zip
from confvm_gui.domain.errors import InvalidInput

LIMITS = ZipLimits(files=3, content=1000, file=600)
FILES = [("a", b"one"), ("folder/b", b"two" * 100)]


def malformed(problem: str) -> InvalidInput:
    return InvalidInput("path", f"The file {problem}")


def test_what_was_packed_is_unpacked_and_the_same_content_is_the_same_zip() -> None:
    data = pack_zip(FILES, 0o600)
    assert data == pack_zip(FILES, 0o600)
    assert unpack_zip(data, LIMITS, malformed) == dict(FILES)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o600}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([(name, b"") for name in "abcd"], "has 4 files; 3 are accepted"),
        ([("a", bytes(601))], "holds more than is accepted"),
        ([("a", bytes(600)), ("b", bytes(401))], "holds more than is accepted"),
        ([("elsewhere", b"")], "one that does not belong there"),
    ],
)
def test_more_than_is_accepted_is_refused(files: list[tuple[str, bytes]], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        unpack_zip(pack_zip(files, 0o644), LIMITS, malformed, lambda name: name != "elsewhere")


def test_at_its_limits_it_is_accepted() -> None:
    files = [("a", bytes(600)), ("b", bytes(400)), ("c", b"")]
    assert unpack_zip(pack_zip(files, 0o644), LIMITS, malformed) == dict(files)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_twice_or_packed_unusually_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has a file twice"):
        unpack_zip(pack_zip([("a", b"1"), ("a", b"2")], 0o644), LIMITS, malformed)
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"1")
    with pytest.raises(InvalidInput, match="packed in an unusual way"):
        unpack_zip(output.getvalue(), LIMITS, malformed)


@given(st.integers(0, len(pack_zip(FILES, 0o644)) - 1), st.integers(1, 255), st.booleans())
def test_a_damaged_zip_is_refused_or_read_and_nothing_else(at: int, change: int, cut: bool) -> None:
    data = bytearray(pack_zip(FILES, 0o644))
    data[at] ^= change
    with suppress(InvalidInput):
        files = unpack_zip(bytes(data[:at] if cut else data), LIMITS, malformed)
        assert sum(map(len, files.values())) <= LIMITS.content
