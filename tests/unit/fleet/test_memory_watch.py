"""The window of bytes: what changed when, frozen, compared with a snapshot; bookmarks; files."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.memory.bookmarks import Bookmark, Bookmarks
from confvm_gui.fleet.memory.dump import dump_range, dump_touched
from confvm_gui.fleet.memory.snapshot import take_snapshot
from confvm_gui.fleet.memory.watch import MemoryWatch
from tests.support.fake_memory import FakeMachine, FakeSettings, busy_machine


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_change_is_seen_and_grows_old() -> None:
    machine, clock = busy_machine(), Clock()
    watch = MemoryWatch(machine.source(Viewer.GUEST), clock=clock)
    first = await watch.refresh(0x120000, 256)
    assert bytes(first.data[:15]) == b"Nadia Lindqvist"
    assert np.isinf(first.ages).all()
    machine.write(0x120004, b"\xff")
    clock.now += 1
    changed = await watch.refresh(0x120000, 256)
    assert np.flatnonzero(np.isfinite(changed.ages)).tolist() == [4]
    clock.now += 2
    later = await watch.refresh(0x120000, 256)
    assert later.ages[4] == pytest.approx(2.0)


async def test_one_changed_byte_changes_its_whole_block_of_ciphertext() -> None:
    machine = busy_machine()
    watch = MemoryWatch(machine.source(Viewer.HYPERVISOR))
    await watch.refresh(0x120000, 256)
    machine.write(0x120024, b"\xff")
    window = await watch.refresh(0x120000, 256)
    changed = np.flatnonzero(np.isfinite(window.ages))
    assert changed.min() >= 0x20
    assert changed.max() < 0x30
    assert changed.size > 8


async def test_only_the_pages_in_view_are_read() -> None:
    machine = busy_machine()
    watch = MemoryWatch(machine.source(Viewer.GUEST))
    await watch.refresh(0x120FF0, 32, extra=(0x200000,))
    assert machine.reads == [
        (Viewer.GUEST, 0x120000, 2 * PAGE_SIZE),
        (Viewer.GUEST, 0x200000, PAGE_SIZE),
    ]
    page = watch.page(0x200010)
    assert page is not None
    assert page.kind is PageKind.PLAINTEXT
    assert watch.page(0x300000) is None


async def test_what_changed_while_nobody_looked_does_not_glow() -> None:
    machine = busy_machine()
    watch = MemoryWatch(machine.source(Viewer.GUEST))
    await watch.refresh(0x120000, 64)
    await watch.refresh(0x200000, 64)
    machine.write(0x120000, b"other")
    window = await watch.refresh(0x120000, 64)
    assert np.isinf(window.ages).all()


async def test_a_window_may_lie_across_a_hole_and_ends_with_ram() -> None:
    machine = FakeMachine([MemoryRegion(0, PAGE_SIZE), MemoryRegion(4 * PAGE_SIZE, PAGE_SIZE)], confidential=False)
    machine.write(PAGE_SIZE - 2, b"ab")
    machine.write(4 * PAGE_SIZE, b"cd")
    watch = MemoryWatch(machine.source(Viewer.GUEST))
    window = await watch.refresh(PAGE_SIZE - 2, 4)
    assert bytes(window.data) == b"abcd"
    assert (await watch.refresh(2 * PAGE_SIZE - 16, 100)).data.size == 16
    assert (await watch.refresh(2 * PAGE_SIZE, 100)).data.size == 0


async def test_coarse_sources_are_read_in_their_granules() -> None:
    machine = busy_machine()
    watch = MemoryWatch(machine.source(Viewer.GUEST, granularity=4 * PAGE_SIZE))
    await watch.refresh(0x121000, 16)
    assert machine.reads == [(Viewer.GUEST, 0x120000, 4 * PAGE_SIZE)]


async def test_frozen_bytes_stay_and_new_ones_are_read_once() -> None:
    machine = busy_machine()
    watch = MemoryWatch(machine.source(Viewer.GUEST))
    before = await watch.refresh(0x120000, 64)
    watch.frozen = True
    machine.write(0x120000, b"changed")
    machine.reads.clear()
    assert (await watch.refresh(0x120000, 64)).data.tobytes() == before.data.tobytes()
    assert machine.reads == []
    await watch.refresh(0x122000, 64)
    await watch.refresh(0x122000, 64)
    assert len(machine.reads) == 1
    assert (await watch.refresh(0x120000, 64)).data.tobytes() == before.data.tobytes()
    watch.frozen = False
    assert bytes((await watch.refresh(0x120000, 64)).data[:7]) == b"changed"


@pytest.mark.parametrize("limit", [1 << 30, 0])
async def test_the_snapshot_marks_what_differs(limit: int) -> None:
    machine = busy_machine()
    source = machine.source(Viewer.GUEST)
    watch = MemoryWatch(source)
    progress: list[tuple[int, int]] = []
    watch.snapshot = await take_snapshot(
        source, content_limit=limit, on_progress=lambda done, total: progress.append((done, total))
    )
    assert progress[-1][0] == progress[-1][1] == watch.snapshot.pages * PAGE_SIZE
    machine.write(0x120004, b"\xff")
    window = await watch.refresh(0x120000, 2 * PAGE_SIZE)
    assert window.differs is not None
    # Without its content, a page is known to have changed but not where.
    marked = [4] if limit else list(range(PAGE_SIZE))
    assert np.flatnonzero(window.differs).tolist() == marked


async def test_pages_used_since_the_snapshot_differ_where_they_are_not_zero() -> None:
    machine = busy_machine()
    source = machine.source(Viewer.HYPERVISOR)
    watch = MemoryWatch(source)
    watch.snapshot = await take_snapshot(source)
    assert watch.snapshot.content(0x3000) is None
    untouched = await watch.refresh(0x3000000, 64)
    assert untouched.differs is not None
    assert not untouched.differs.any()
    machine.write(0x3000000, b"\x01", shared=True)
    used = await watch.refresh(0x3000000, 64)
    assert used.differs is not None
    assert np.flatnonzero(used.differs).tolist() == [0]


async def test_a_snapshot_does_not_print_what_it_keeps() -> None:
    snapshot = await take_snapshot(busy_machine().source(Viewer.GUEST))
    assert "Nadia" not in repr(snapshot)


# --- files ---


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_range_becomes_a_file_of_just_its_bytes(tmp_path: Path) -> None:
    machine = busy_machine()
    done = await dump_range(machine.source(Viewer.GUEST), 0x120003, 5000, tmp_path / "range.raw")
    written = done.path.read_bytes()
    whole = b"".join(machine.page(page, Viewer.GUEST)[0] for page in (0x120, 0x121))
    assert written == whole[3:5003]
    assert _names(tmp_path) == ["range.raw"]


async def test_touched_ram_becomes_a_sparse_file_with_an_index(tmp_path: Path) -> None:
    machine = FakeMachine([MemoryRegion(0, 8 << 30)])
    machine.write(7 << 30, b"far away")
    machine.write(0x1000, b"near", shared=True)
    path = tmp_path / "all.raw"
    done = await dump_touched(machine.source(Viewer.GUEST), path)
    assert done.bytes_written == 2 * PAGE_SIZE
    with path.open("rb") as file:
        file.seek(7 << 30)
        assert file.read(8) == b"far away"
    assert path.stat().st_blocks * 512 < 1 << 20
    index = json.loads((tmp_path / "all.raw.json").read_text())
    assert index["viewer"] == "guest"
    assert index["ranges"] == [
        {"gpa": 0x1000, "length": PAGE_SIZE, "kind": "SHARED"},
        {"gpa": 7 << 30, "length": PAGE_SIZE, "kind": "PLAINTEXT"},
    ]


async def test_a_file_that_cannot_be_written_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.raw"
    path.write_bytes(b"what was there")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("confvm_gui.fleet.memory.dump._put", full)
    with pytest.raises(InvalidInput, match="no space left"):
        await dump_range(busy_machine().source(Viewer.GUEST), 0x120000, 16, path)
    assert path.read_bytes() == b"what was there"
    assert _names(tmp_path) == ["kept.raw"]
    with pytest.raises(InvalidInput, match="cannot be written"):
        await dump_range(busy_machine().source(Viewer.GUEST), 0x120000, 16, tmp_path / "absent" / "x.raw")


@pytest.mark.parametrize(("gpa", "length"), [(0x120000, 0), (0x120000, 1 << 40), (1 << 40, 16)])
async def test_a_range_outside_ram_is_refused(tmp_path: Path, gpa: int, length: int) -> None:
    with pytest.raises(InvalidInput):
        await dump_range(busy_machine().source(Viewer.GUEST), gpa, length, tmp_path / "x.raw")
    assert _names(tmp_path) == []


# --- bookmarks ---


def test_bookmarks_are_kept_by_instance_and_sorted_by_address() -> None:
    settings = FakeSettings()
    bookmarks = Bookmarks(settings, "one")
    bookmarks.add("  mail   box ", 0x10000)
    bookmarks.add("boot", 0x8000)
    bookmarks.add("boot", 0x9000)
    assert Bookmarks(settings, "one").all() == [Bookmark("boot", 0x9000), Bookmark("mail box", 0x10000)]
    assert Bookmarks(settings, "two").all() == []
    json.dumps(settings.values)
    bookmarks.remove("boot")
    assert [each.name for each in bookmarks.all()] == ["mail box"]
    with pytest.raises(NotFound):
        bookmarks.remove("boot")
    for name in ("", "   ", "x" * 81):
        with pytest.raises(InvalidInput):
            bookmarks.add(name, 0)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "gpa"]), inner),
        max_leaves=8,
    )
)
def test_settings_that_are_no_bookmarks_are_ignored(stored: object) -> None:
    bookmarks = Bookmarks(FakeSettings({"memory.bookmarks.one": stored}), "one")
    assert all(isinstance(each, Bookmark) for each in bookmarks.all())
