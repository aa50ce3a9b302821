"""Exposure scans: what is found, how often, where, and what is never kept."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.exposure import Readability, TermExposure
from confvm_gui.domain.images import SeedSpec
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.exposure import canary
from confvm_gui.fleet.exposure.matching import TermMatcher
from confvm_gui.fleet.exposure.pattern_search import PatternSearch
from confvm_gui.fleet.exposure.report import findings, to_mapping, write_json
from confvm_gui.fleet.exposure.scan import ExposureProgress, ViewProgress, pattern_search, scan_view
from confvm_gui.fleet.exposure.service import Exposures
from confvm_gui.fleet.exposure.terms import Term, hex_term, numbered, pattern_term, text_term
from tests.support.fake_memory import FakeMachine, FakeMemorySession, fake_instance

SECRET = "the heron counts nine lanterns"
REGIONS = (MemoryRegion(0, 1 << 20), MemoryRegion(1 << 32, 1 << 20))


async def scanned(
    machine: FakeMachine, terms: Sequence[Term], viewer: Viewer = Viewer.HYPERVISOR, *, sparse: bool = True
) -> tuple[TermExposure, ...]:
    progress = ViewProgress(viewer)
    async with pattern_search(terms) as (patterns, by_chance):
        source = machine.source(viewer, sparse=sparse)
        await scan_view(source, terms, patterns, by_chance, progress, lambda _: None)
    return progress.exposures()


@pytest.mark.parametrize("sparse", [True, False])
async def test_text_is_found_in_both_encodings_and_across_reads(sparse: bool) -> None:
    machine = FakeMachine(REGIONS, confidential=False)
    border = (1 << 18) - 7
    machine.write(border, SECRET.encode())
    machine.write((1 << 32) + 5000, SECRET.encode("utf-16-le"))
    (found,) = await scanned(machine, numbered([text_term(SECRET)]), sparse=sparse)
    assert found.readability is Readability.READABLE
    assert [(place.gpa, place.encoding) for place in found.places] == [
        (border, "UTF-8"),
        ((1 << 32) + 5000, "UTF-16LE"),
    ]


async def test_confidential_guest_shows_nothing_but_what_it_shares() -> None:
    machine = FakeMachine(REGIONS)
    machine.write(0x3000, SECRET.encode())
    terms = numbered([text_term(SECRET)])
    assert (await scanned(machine, terms))[0].readability is Readability.NOT_FOUND
    assert (await scanned(machine, terms, Viewer.GUEST))[0].readability is Readability.READABLE
    machine.write(0x9000, SECRET.encode(), shared=True)
    (found,) = await scanned(machine, terms)
    assert (found.readability, dict(found.counts)) == (Readability.READABLE, {PageKind.SHARED: 1})


async def test_pattern_is_found_across_reads() -> None:
    machine = FakeMachine(REGIONS, confidential=False)
    machine.write((1 << 18) - 9, b"<4111222233334444>")
    machine.write(0x2FF8, b"<4111222233335555>")
    (found,) = await scanned(machine, numbered([pattern_term(r"4[0-9]{15}")]), sparse=False)
    assert [place.gpa for place in found.places] == [0x2FF9, (1 << 18) - 8]
    assert {place.length for place in found.places} == {16}


def test_pattern_that_never_ends_is_refused() -> None:
    with PatternSearch([pattern_term("(a+)+b", "evil")], seconds=0.5) as search:
        search.ready()
        with pytest.raises(InvalidInput, match=r"evil.*takes too long"):
            search.find(b"a" * 4096, [0], 4096)


async def test_pattern_that_matches_empty_memory_is_refused() -> None:
    with pytest.raises(InvalidInput, match="empty memory"):
        async with pattern_search([pattern_term("[^a]{4}")]):
            pass


@pytest.mark.parametrize("text", ["(", "a{2", "é+", "", "x" * 300, "[a-"])
def test_bad_pattern_says_what_is_wrong(text: str) -> None:
    if text == "a{2":
        assert pattern_term(text)  # Python takes it literally
        return
    with pytest.raises(InvalidInput):
        pattern_term(text)


@given(st.text(max_size=300))
def test_any_text_makes_terms_or_says_why(text: str) -> None:
    for make in (text_term, hex_term, pattern_term):
        try:
            term = make(text)
        except InvalidInput:
            continue
        assert len(text) < 4 or text not in repr(term)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3 * PAGE_SIZE - 8), max_size=6), st.sampled_from([1, 2, 3]))
def test_counts_are_those_of_one_search_over_everything(places: list[int], pages: int) -> None:
    data = bytearray(3 * PAGE_SIZE)
    for place in places:
        data[place : place + 8] = b"ABABABAB"
    (pattern,) = hex_term(b"ABABAB".hex()).patterns
    matcher = TermMatcher(numbered([hex_term(b"ABABAB".hex())]), None, ())
    for start in range(0, len(data), pages * PAGE_SIZE):
        part = bytes(data[start : start + pages * PAGE_SIZE])
        matcher.add(
            MemoryChunk(start, part, bytes((PageKind.PLAINTEXT,)) * (len(part) // PAGE_SIZE), Viewer.HYPERVISOR)
        )
    matcher.finish()
    expected = [match.start() for match in re.finditer(b"(?=" + pattern.data + b")", bytes(data))]
    (found,) = matcher.exposures(Viewer.HYPERVISOR)
    assert [place.gpa for place in found.places] == expected


async def test_result_event_and_report_hold_no_secret(tmp_path: Path) -> None:
    machine = FakeMachine(REGIONS)
    machine.write(0x9000, SECRET.encode(), shared=True)
    session = FakeMemorySession()
    instance = fake_instance(technology=Technology.SEV)
    session.add(instance, machine)
    exposures = Exposures(session)
    result = await exposures.scan(instance.id, numbered([text_term(SECRET), text_term("another text")]))
    assert exposures.last(instance.id) is result
    assert result.complete
    assert [each.term.label for each in result.readable_by_host] == ["text 1"]
    assert [finding.code for finding in findings(result)] == ["exposure-readable"]
    write_json(result, tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text()
    assert json.loads(text) == to_mapping(result)
    assert SECRET not in text + repr(result)
    assert ("exposure.scan", instance.id) in session.events.recorded


async def test_cancelled_scan_keeps_what_it_found() -> None:
    machine = FakeMachine(REGIONS, confidential=False)
    machine.write(0, SECRET.encode())
    machine.write(1 << 32, bytes(range(256)) * 4096)
    session = FakeMemorySession()
    instance = fake_instance()
    session.add(instance, machine)
    exposures = Exposures(session)

    def cancel(_: ExposureProgress) -> None:
        task.cancel()

    task = asyncio.create_task(exposures.scan(instance.id, numbered([text_term(SECRET)]), on_progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    last = exposures.last(instance.id)
    assert last is not None
    assert not last.complete
    assert last.exposures[0].count == 1


def test_canary_is_planted_in_seed_and_records(tmp_path: Path) -> None:
    made = canary.make_canary()
    seed = canary.in_seed(SeedSpec("probe", files=(("/etc/motd", "hello"),)), made)
    assert seed.files == (("/etc/motd", "hello"), (canary.PATH, made.token + "\n"))
    (tmp_path / "in.csv").write_text("id,note\n1,a\n2,b\n")
    canary.in_records(tmp_path / "in.csv", tmp_path / "out.csv", made)
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == f"1,a,{made.token}"
    with pytest.raises(InvalidInput):
        canary.in_records(tmp_path / "out.csv", tmp_path / "again.csv", made)
