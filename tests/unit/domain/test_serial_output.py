"""A serial port's output: kept and streamed within bounds."""

from __future__ import annotations

import asyncio

from confvm_gui.domain.serial_output import SerialOutput


async def whole(output: SerialOutput) -> bytes:
    return b"".join([data async for data in output.stream()])


async def test_streams_give_what_there_was_and_what_comes_until_the_end() -> None:
    output = SerialOutput()
    output.feed(b"one\n")
    streams = [asyncio.ensure_future(whole(output)) for _ in range(2)]
    await asyncio.sleep(0)
    output.feed(b"two\n")
    output.end()
    assert [await stream for stream in streams] == [b"one\ntwo\n"] * 2
    assert await whole(output) == output.scrollback() == b"one\ntwo\n"
    assert output.written == 8
    assert output.ended


async def test_the_scrollback_is_cut_at_a_line() -> None:
    output = SerialOutput(scrollback_bytes=100)
    for number in range(100):
        output.feed(f"line {number}\n".encode())
    kept = output.scrollback()
    assert 80 < len(kept) <= 100
    assert kept.startswith(b"line ")
    assert kept.endswith(b"line 99\n")
    output.feed(b"x" * 250)
    assert output.scrollback() == b"x" * 100, "without lines, just cut"


async def test_a_reader_that_does_not_read_loses_the_oldest() -> None:
    output = SerialOutput(scrollback_bytes=8, waiting_bytes=100)
    stream = output.stream()
    output.feed(b"begin")
    assert await anext(stream) == b"begin"
    for number in range(1000):
        output.feed(f"{number:04}".encode())
    late = await anext(stream)
    assert len(late) == 100
    assert late.endswith(b"09980999")
    output.end()
    assert [data async for data in stream] == []
