"""What terminal sequences make of the screen, and what hostile output cannot do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confvm_gui.ui.widgets.terminal_line import PLAIN, Line, Scrollback
from confvm_gui.ui.widgets.terminal_parser import MOST_ANSWERS, TerminalParser
from confvm_gui.ui.widgets.terminal_screen import TerminalScreen


def shown(data: bytes, columns: int = 20, lines: int = 5) -> TerminalScreen:
    screen = TerminalScreen(columns, lines)
    TerminalParser(screen).feed(data)
    return screen


def texts(screen: TerminalScreen) -> list[str]:
    found = [screen.line(y).text() for y in range(screen.lines)]
    while found and not found[-1]:
        found.pop()
    return found


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"plain\r\nnext", ["plain", "next"]),
        (b"one\rt", ["tne"]),
        (b"abc\b\bX", ["aXc"]),
        (b"a\tb", ["a       b"]),
        (b"\x1b]0;title\x07after", ["after"]),
        (b"\x1b]52;c;aGk=\x1b\\after", ["after"]),
        (b"\x1bP1$q m\x1b\\after", ["after"]),
        (b"\x1b_apc\x9c\xc2\x9cafter", ["after"]),
        (b"\x1b(0lqk\x1b(B", ["┌─┐"]),
        ("漢字".encode(), ["漢字"]),
        ("e\u0301".encode(), ["é"]),
        ("a\u200db\ufe0fc".encode(), ["abc"]),
        (b"\xff\xc3", ["\ufffd"]),
        (b"\x1b[2;3Hx", ["", "  x"]),
        (b"\x1b[2\r;3Hx", ["", "  x"]),  # a control in a sequence acts at once
        (b"\x1b[31\x18mred", ["mred"]),  # CAN ends a sequence
        (b"abcdef\x1b[1;3H\x1b[2P", ["abef"]),
        (b"abc\x1b[1;2H\x1b[2@", ["a  bc"]),
        (b"abcdef\x1b[1;3H\x1b[2X", ["ab  ef"]),
        (b"abcdef\x1b[1;3H\x1b[K", ["ab"]),
        (b"abcdef\x1b[1;3H\x1b[1K", ["   def"]),
        (b"a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c"]),
        (b"a\r\nb\x1b[1;1H\x1b[L", ["", "a", "b"]),
        (b"x\x1b[3b", ["xxxx"]),
        (b"a\r\nb\r\nc\x1b[2;3r\x1b[S", ["a", "c"]),
        (b"main\x1b[?1049h\x1b[Hfull\x1b[?1049l", ["main"]),
        (b"\x1b[?5AA\x1b[9J\x1b[38;5;999mB\x1b[?6hC\x1b[3dD", ["CB", "", " D"]),
        (b"\x1b#8\x1b[2J\x1b[Hok", ["ok"]),
        (b"gone\x1bcnew", ["new"]),
    ],
)
def test_sequences(data: bytes, lines: list[str]) -> None:
    assert texts(shown(data)) == lines


def test_looks() -> None:
    line = shown(b"\x1b[1;4;31mA\x1b[0;48;5;200mB\x1b[38:2::1:2:3mC\x1b[0m\x1b[>4;2mD\x1b[93mE", 40).line(0)
    looks = [run.style for run in line.runs]
    assert (looks[0].fg, looks[0].bold, looks[0].underscore) == ("1", True, True)
    assert (looks[1].bg, looks[1].bold) == ("200", False)
    assert (looks[2].fg, looks[2].bg) == ("#010203", "200")
    assert looks[3] == PLAIN
    assert looks[4].fg == "11"


def test_long_lines_wrap_and_are_remembered_as_one() -> None:
    screen = shown(b"0123456789abc\r\nend", 10)
    assert texts(screen) == ["0123456789", "abc", "end"]
    assert [screen.line(y).wrapped for y in range(3)] == [True, False, False]


def test_lines_come_back_when_the_screen_grows() -> None:
    screen = shown(b"".join(b"%d\r\n" % at for at in range(10)), 20, 5)
    assert len(screen.scrollback) == 6
    screen.resize(3, 12)
    assert len(screen.scrollback) == 8
    screen.resize(8, 20)
    assert texts(screen) == ["3", "4", "5", "6", "7", "8", "9"]
    assert screen.cursor.y == 7


def test_a_full_screen_program_leaves_no_scroll_back() -> None:
    screen = shown(b"a\r\n\x1b[?1049h" + b"x\r\n" * 50)
    assert len(screen.scrollback) == 0
    screen.resize(3, 15)
    TerminalParser(screen).feed(b"\x1b[?1049l")
    assert texts(screen) == ["a"]


def test_scroll_back_is_bounded_in_lines_and_in_runs() -> None:
    back = Scrollback(most=100)
    for at in range(1000):
        back.push(Line())
        assert back.end == at + 1
    assert (len(back), back.dropped) == (100, 900)
    colourful = b"".join(b"\x1b[38;5;%dmx" % (at % 256) for at in range(200)) + b"\r\n"
    screen = shown(colourful * 1100, 200)
    assert sum(len(line.runs) for line in screen.scrollback.lines(0, screen.scrollback.end)) <= 200_000


def test_only_the_standard_questions_are_answered_and_no_flood_of_them() -> None:
    parser = TerminalParser(TerminalScreen(20, 5))
    parser.feed(b"\x1b[c\x1b[5n\x1b[6n\x1b[>c\x1b[=c\x1b[?6n\x1b[21t\x1b]10;?\x07\x1bP+q544e\x1b\\\x05\x1b[x")
    assert parser.answers() == b"\x1b[?6c\x1b[0n\x1b[1;1R"
    parser.feed(b"\x1b[6n" * 1000)
    assert parser.answers().count(b"R") == MOST_ANSWERS


def test_a_string_without_end_does_not_silence_the_console() -> None:
    screen = shown(b"\x1b]2;" + b"x" * 200_000 + b"\r\nalive")
    assert texts(screen)[-1] == "alive"
    assert len(screen.title) < 100


_BITS = st.sampled_from(
    [
        *(b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b\\", b"\x1b(0", b"\x1b#8", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1bc"),
        *(b"\x1b[?6h", b"\x1b[2;4r", b"\x1b[99999999999;1H", b"\x1b[6n", b"\x1b[4h", b"\x1b[9999L", b"\x1b[9999b"),
        *(b"\x1b[38;2;1;2;3m", b"\x1b[48;5m", b"\x1b[::;:m", "漢".encode(), "\u0301".encode(), "²".encode(), b"\xe6"),
        *(b"\x1b7", b"\x1b8", b"\r\n", b"\t", b"\x9b", b"\x1b[3g", b"\x1b[Z", b"\x1b[J", b"\x1b[1J", b"\x1b[?3h"),
    ]
)
_FINALS = st.integers(0x20, 0x7E).map(lambda code: bytes([code]))
_OUTPUT = st.lists(st.one_of(_BITS, _FINALS, st.binary(max_size=8)), max_size=60)


@settings(max_examples=300, deadline=None)
@given(pieces=_OUTPUT, columns=st.integers(10, 40), lines=st.integers(2, 12), resized=st.integers(2, 60))
def test_nothing_that_a_guest_prints_breaks_the_terminal(
    pieces: list[bytes], columns: int, lines: int, resized: int
) -> None:
    cut, whole = TerminalScreen(columns, lines), TerminalScreen(columns, lines)
    parser = TerminalParser(cut)
    for piece in pieces:
        parser.feed(piece)
    once = TerminalParser(whole)
    once.feed(b"".join(pieces))
    assert [cut.line(y) for y in range(lines)] == [whole.line(y) for y in range(lines)]
    assert (cut.cursor.x, cut.cursor.y) == (whole.cursor.x, whole.cursor.y)
    assert set(once.answers()) <= set(b"\x1b[?0123456789;cnR")
    cut.resize(resized, max(10, resized))
    assert 0 <= cut.cursor.y < cut.lines
    assert 0 <= cut.cursor.x <= cut.columns
    parser.feed(b"\x18\x1b\\\x1bcalive")
    assert texts(cut) == ["alive"]


@pytest.mark.parametrize(
    "flood",
    [
        b"\x1b[41m\x1b[2J" * 4000,
        b"\x1b[9999L\x1b[9999P\x1b[9999@" * 3000,
        b"\x1b[9999S" * 3000,
        b"\n" * 60_000,
        b"\x1b]0;" + b"a" * 500_000,
        b"e" + "\u0301".encode() * 60_000,
        b"x" * 300_000,
        b"\x1b#8" * 2000,
    ],
)
def test_floods_are_worked_on_in_slices(flood: bytes) -> None:
    screen = TerminalScreen(200, 60)
    parser = TerminalParser(screen)
    parser.take(flood)
    slices: list[float] = []
    more = True
    while more and sum(slices) < 1.0:
        began = time.thread_time()
        more = parser.work(0.004)
        slices.append(time.thread_time() - began)
    assert sorted(slices)[len(slices) * 9 // 10] < 0.05
