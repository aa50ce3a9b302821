"""Memory, questions, console and samples of embedded instances."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import GuestFault, InvalidInput, NotFound, Unsupported, WrongState
from confvm_gui.domain.memory import PAGE_SIZE, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.engine.guests.mailbox import REQUEST_GPA, RESPONSE_GPA
from confvm_gui.providers.embedded.console import SCROLLBACK_BYTES, SerialConsole
from tests.support.embedded_rig import RAM, SECRET_FIELD, Hosts, embedded, launch_request, ready, write_records
from tests.support.operations import OperationRecord
from tests.support.patience import until

IMAGE = 0x100000


# Memory ---------------------------------------------------------------------------------------------------------------


async def test_pages_are_labelled_by_what_they_are(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        plain = await provider.create(launch_request("plain", technology=Technology.NONE), OperationRecord())
        for instance, viewer, image_kind, shared_kind in (
            (made, Viewer.HYPERVISOR, PageKind.CIPHERTEXT, PageKind.SHARED),
            (made, Viewer.GUEST, PageKind.PLAINTEXT, PageKind.SHARED),
            (plain, Viewer.HYPERVISOR, PageKind.PLAINTEXT, PageKind.PLAINTEXT),
            (plain, Viewer.GUEST, PageKind.PLAINTEXT, PageKind.PLAINTEXT),
        ):
            source = provider.memory(instance.id, viewer)
            assert (await source.read(IMAGE, PAGE_SIZE)).kinds == bytes([image_kind])
            assert (await source.read(0x8000, PAGE_SIZE)).kinds == bytes([shared_kind])
            far = await source.read(RAM - PAGE_SIZE, PAGE_SIZE)
            assert far.kinds == bytes([PageKind.UNTOUCHED])
            assert source.regions()[0].length == RAM
            populated = source.populated()
            assert any(region.gpa <= IMAGE < region.gpa + region.length for region in populated)
            assert all(region.gpa % PAGE_SIZE == region.length % PAGE_SIZE == 0 for region in populated)
        guest = await provider.memory(made.id, Viewer.GUEST).read(IMAGE, PAGE_SIZE)
        host = await provider.memory(made.id, Viewer.HYPERVISOR).read(IMAGE, PAGE_SIZE)
        assert guest.data != host.data


async def test_memory_outside_of_the_guest_is_refused(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        source = provider.memory(made.id, Viewer.HYPERVISOR)
        for gpa, length in ((-4096, 4096), (RAM, 4096), (RAM - 4096, 8192), (0, -4096), (1, 4096), (0, 100)):
            with pytest.raises(InvalidInput):
                await source.read(gpa, length)
        with pytest.raises(InvalidInput):
            await source.write(RAM - 1, b"ab")


async def test_a_hypervisor_that_writes_changes_what_the_guest_reads_into_garbage(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
        host, guest = provider.memory(made.id, Viewer.HYPERVISOR), provider.memory(made.id, Viewer.GUEST)
        await provider.pause(made.id, OperationRecord(made.id))
        page = IMAGE
        before = (await guest.read(page, PAGE_SIZE)).data
        await host.write(page + 100, b"written by the host")
        dram = (await host.read(page, PAGE_SIZE)).data
        assert dram[100:119] == b"written by the host"
        after = (await guest.read(page, PAGE_SIZE)).data
        assert b"written by the host" not in after
        assert after[:96] == before[:96]
        assert after[96:128] != before[96:128]
        assert after[128:] == before[128:], "only the blocks of 16 bytes that were touched"


async def test_memory_read_while_the_guest_goes_down_is_right_or_refused(data_dir: Path) -> None:
    async def look(source: MemorySource, length: int) -> None:
        right = await source.read(IMAGE, PAGE_SIZE)
        while True:
            chunk = await source.read(IMAGE, length)
            assert chunk.data[:PAGE_SIZE] == right.data
            assert chunk.kinds[:1] == right.kinds
            await asyncio.sleep(0)

    async with embedded(data_dir) as provider:
        for _ in range(3):
            made = await provider.create(launch_request(), OperationRecord())
            looking = [
                asyncio.ensure_future(look(provider.memory(made.id, viewer), length))
                for viewer in Viewer
                for length in (PAGE_SIZE, 256 * PAGE_SIZE)
            ]
            await asyncio.sleep(0.02)
            await provider.delete(made.id, OperationRecord(made.id))
            outcomes = await asyncio.gather(*looking, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [WrongState] * 4


# Questions ------------------------------------------------------------------------------------------------------------


async def test_questions_are_answered_from_the_records(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await ready(provider, made.id)
        columns = ("id", "name", "age", "readmitted", "note")

        count = await provider.query(made.id, Query(QueryVerb.COUNT, "readmitted", "yes"))
        assert (count.count, count.rows) == (8, ())
        found = await provider.query(made.id, Query(QueryVerb.FIND, "id", "V-3"))
        assert found.columns == columns
        assert found.rows == (("V-3", "patient 3", "33", "no", f"{SECRET_FIELD} 3"),)
        assert found.seconds > 0
        starts = await provider.query(made.id, Query(QueryVerb.PREFIX, "id", "V-1"))
        assert [row[0] for row in starts.rows] == ["V-1", "V-10", "V-11"]
        between = await provider.query(made.id, Query(QueryVerb.RANGE, "age", "31", "33"))
        assert between.count == 3
        await until(lambda: b"model 1" in provider.console(made.id).scrollback())
        predicted = await provider.query(made.id, Query(QueryVerb.PREDICT, value="0"))
        assert predicted.note
        assert all(row[0] == "V-0" for row in predicted.rows)
        for wrong in (
            Query(QueryVerb.COUNT, "no such column", "x"),
            Query(QueryVerb.RANGE, "name", "a", "b"),
            Query(QueryVerb.PREDICT, value="999"),
            Query(QueryVerb.FIND, "id", "with\x1fseparator"),
        ):
            with pytest.raises(InvalidInput) as refused:
                await provider.query(made.id, wrong)
            assert refused.value.field == "query"
        (sample,) = await provider.sample([made.id])
        assert sample.queries >= 6


async def test_questions_at_the_same_time_each_get_their_own_answer(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await ready(provider, made.id)
        answers = await asyncio.gather(
            *(provider.query(made.id, Query(QueryVerb.FIND, "id", f"V-{at}")) for at in range(12))
        )
        assert [answer.rows[0][0] for answer in answers] == [f"V-{at}" for at in range(12)]


async def test_questions_and_answers_are_not_readable_on_their_way(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await ready(provider, made.id)
        await provider.query(made.id, Query(QueryVerb.FIND, "id", "V-7"))
        host = provider.memory(made.id, Viewer.HYPERVISOR)
        mailbox = (await host.read(REQUEST_GPA, 0x10000)).data
        assert any(mailbox)
        for text in (b"V-7", b"find", SECRET_FIELD.encode()):
            assert text not in mailbox


async def test_an_answer_that_the_host_forged_is_not_believed(data_dir: Path, tmp_path: Path) -> None:
    hosts = Hosts()
    async with embedded(data_dir, make_site=hosts) as provider:
        machine = hosts.last
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await ready(provider, made.id)
        await provider.query(made.id, Query(QueryVerb.COUNT, "id", "V-1"))
        host = provider.memory(made.id, Viewer.HYPERVISOR)
        answer = (await host.read(RESPONSE_GPA, PAGE_SIZE)).data
        last = int.from_bytes(answer[:4], "little")
        # A host that cheats also keeps the guest from answering first.
        (vcpu,) = machine.vcpus.guests
        await machine.vcpus.pause(vcpu)
        await host.write(RESPONSE_GPA, (last + 1).to_bytes(4, "little") + answer[4:64])
        with pytest.raises(GuestFault, match="not authentic"):
            await provider.query(made.id, Query(QueryVerb.COUNT, "id", "V-1"))
        machine.vcpus.resume(vcpu)
        assert (await provider.query(made.id, Query(QueryVerb.COUNT, "id", "V-1"))).count == 1


async def test_who_cannot_be_asked_says_why(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        heart = await provider.create(launch_request("heart"), OperationRecord())
        with pytest.raises(Unsupported, match="no records"):
            await provider.query(heart.id, Query(QueryVerb.STATUS))
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await provider.pause(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState, match="paused"):
            await provider.query(made.id, Query(QueryVerb.STATUS))
        await provider.resume(made.id, OperationRecord(made.id))
        await ready(provider, made.id)
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState, match="stopped"):
            await provider.query(made.id, Query(QueryVerb.STATUS))
        await provider.delete(made.id, OperationRecord(made.id))
        with pytest.raises(NotFound):
            await provider.query(made.id, Query(QueryVerb.STATUS))


async def test_a_guest_that_is_stopped_while_it_is_asked(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        asked = [asyncio.ensure_future(provider.query(made.id, Query(QueryVerb.STATUS))) for _ in range(3)]
        await asyncio.sleep(0)
        await provider.stop(made.id, OperationRecord(made.id))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes[1:]} == {GuestFault}
        await provider.start(made.id, OperationRecord(made.id))
        await ready(provider, made.id)


# Console and samples --------------------------------------------------------------------------------------------------


async def test_the_console_keeps_what_was_said_through_stop_and_start(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        console = provider.console(made.id)
        await until(lambda: b"records: 12 rows" in console.scrollback())
        assert SECRET_FIELD.encode() not in console.scrollback()
        assert b"patient" not in console.scrollback()
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(WrongState):
            await console.write(b"hello")
        await provider.start(made.id, OperationRecord(made.id))
        assert provider.console(made.id) is console
        assert console.writable
        await console.write(b"hello")
        await until(lambda: console.scrollback().count(b"records: 12 rows") == 2)


async def test_the_scrollback_is_bounded_and_begins_with_a_whole_line() -> None:
    console = SerialConsole(lambda _: False)
    for number in range(30_000):
        console.feed(b"line %d\n" % number)
    kept = console.scrollback()
    assert SCROLLBACK_BYTES - 100 < len(kept) <= SCROLLBACK_BYTES
    assert kept.startswith(b"line ")
    assert kept.endswith(b"line 29999\n")
    assert console.written > len(kept)
    console.feed(b"x" * (SCROLLBACK_BYTES * 2))
    assert console.scrollback() == b"x" * SCROLLBACK_BYTES


async def test_streams_begin_with_the_scrollback_and_end_by_themselves_only_at_the_end() -> None:
    console = SerialConsole(lambda _: True)
    console.feed(b"early ")
    parts: dict[int, list[bytes]] = {1: [], 2: []}

    async def follow(number: int) -> None:
        async for data in console.stream():
            parts[number].append(data)

    first = asyncio.ensure_future(follow(1))
    await until(lambda: parts[1] == [b"early "])
    second = asyncio.ensure_future(follow(2))
    await until(lambda: bool(parts[2]))
    console.feed(b"late")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    console.feed(b"r")
    console.end()
    await asyncio.wait_for(second, 10)
    assert b"".join(parts[2]) == b"early later"
    assert [data async for data in console.stream()] == [b"early later"]
    await console.write(b"input")


async def test_samples_grow_with_what_the_guest_does(data_dir: Path, tmp_path: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(records=write_records(tmp_path)), OperationRecord())
        await ready(provider, made.id)
        seen = [(await provider.sample([made.id]))[0]]

        async def look() -> bool:
            seen.append((await provider.sample([made.id]))[0])
            return seen[-1].console_bytes > 0

        for _ in range(200):  # usage is reported once a second
            if await look():
                break
            await asyncio.sleep(0.02)
        last = seen[-1]
        assert last.memory_bytes > 100 << 10
        assert last.memory_bytes % PAGE_SIZE == 0
        assert last.disk_read_bytes > 0
        assert last.console_bytes > 0
        assert 0 <= last.cpu <= 1
        assert any(sample.cpu > 0 for sample in seen)
