"""The library of images as people use it: every change of it is an event, and not everybody may."""

from __future__ import annotations

from pathlib import Path

import pytest

from confvm_gui.domain.errors import ConfvmError, Forbidden, NotFound
from confvm_gui.domain.event import EventOutcome
from confvm_gui.domain.images import ImageDownload
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.recorded import RecordedLibrary
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.images.library import FolderImageLibrary
from tests.support.fake_session import MemoryAudit


@pytest.fixture
def log() -> MemoryAudit:
    return MemoryAudit()


def library(folder: Path, log: MemoryAudit, role: Role = Role.OPERATOR) -> RecordedLibrary:
    events = EventFeed(log, readonly=False)
    access = Access(Assignments({"ann": frozenset({role})}), events, "ann", frozenset())
    return RecordedLibrary(FolderImageLibrary(folder), access, events)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(1 << 20))
    return path


async def test_what_is_added_and_removed_is_told(data_dir: Path, disk: Path, log: MemoryAudit) -> None:
    ours = library(data_dir, log)
    added = await ours.add_disk(disk, "mine", "Mine")
    kernel = disk.with_name("vmlinuz")
    kernel.write_bytes(b"kernel")
    await ours.add_kernel(kernel, None, "ours")
    await ours.remove("mine")
    assert [image.id for image in ours.images()] == ["ours"]
    told = [record.event for record in log.records]
    assert [event.action for event in told] == ["image.added", "image.added", "image.removed"]
    assert told[0].detail == {"image": "mine", "from": str(disk)}
    assert told[0].after == told[2].before == {"kind": "raw", "size": added.size, "title": "Mine"}
    with pytest.raises(NotFound):
        await ours.remove("mine")
    assert len(log.records) == 3, "what was not done is not told as done"


async def test_a_download_that_fails_is_told(data_dir: Path, log: MemoryAudit) -> None:
    nowhere = ImageDownload("https://127.0.0.1:1/disk.qcow2", "https://127.0.0.1:1/SHA256SUMS")
    with pytest.raises(ConfvmError):
        await library(data_dir, log).download(nowhere, "far")
    (told,) = [record.event for record in log.records]
    assert (told.action, told.outcome, told.detail["from"]) == ("image.download", EventOutcome.FAILURE, nowhere.url)


async def test_a_viewer_changes_nothing(data_dir: Path, disk: Path, log: MemoryAudit) -> None:
    ours = library(data_dir, log, Role.VIEWER)
    for change in (
        lambda: ours.add_disk(disk, "mine"),
        lambda: ours.add_kernel(disk, None, "mine"),
        lambda: ours.download(ImageDownload("https://x/y", "https://x/z"), "mine"),
        lambda: ours.remove("mine"),
    ):
        with pytest.raises(Forbidden):
            await change()
    assert ours.images() == ()
    assert [record.event.action for record in log.records] == ["access.denied"] * 4
