"""Terminal control sequences, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.ui.panels.terminal_text import TerminalText


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\r\n", "plain\n"),
        (b"\x1b[1;32mgreen\x1b[0m", "green"),
        (b"\x1b]0;title\x07after", "after"),
        (b"\x1b]0;title\x1b\\after", "after"),
        (b"a\x1b(Bb", "ab"),
        (b"bell\x07 back\x08", "bell back"),
        ("é€".encode(), "é€"),
        (b"\xff", "\ufffd"),
        (b"one\rtwo", "one\ntwo"),
        (b"tab\there", "tab\there"),
    ],
)
def test_sequences(data: bytes, text: str) -> None:
    assert TerminalText().feed(data) == text
    whole = TerminalText()
    assert "".join(whole.feed(bytes([byte])) for byte in data) == text


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"\x1b[", b"\x1b", b"\r", b"\n", b"\x1b]0;x", b"31m", b"\x07"]))
)
def test_pieces_give_what_the_whole_gives(pieces: list[bytes]) -> None:
    cut = TerminalText()
    text = "".join(cut.feed(piece) for piece in pieces) + cut.feed(b"\n")
    assert text == TerminalText().feed(b"".join(pieces) + b"\n")
    assert "\x1b" not in text or text.count("\x1b") <= b"".join(pieces).count(b"\x1b")


def test_an_endless_sequence_is_taken_for_text() -> None:
    terminal = TerminalText()
    assert terminal.feed(b"\x1b]" + b"x" * 10_000)
