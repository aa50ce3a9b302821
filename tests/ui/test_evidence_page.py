"""The page for evidence files: dropping, verifying, what is wrong, earlier files, endorsements."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from confvm_gui.domain.attestation import EndorsementKind, EndorsementNeed, Endorsements
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.ports.endorsement_source import CacheEntry, EntryState
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.evidence.drop_area import DropHint
from confvm_gui.ui.evidence.given_files import sort_out
from confvm_gui.ui.evidence.page import EvidencePage
from confvm_gui.ui.theme import theme_controller
from tests.support.fake_attestations import MISMATCH, ROOT_EMULATED, FakeAttestations, make_record
from tests.support.fake_session import fake_session
from tests.support.runners import Run
from tests.support.shell_driver import open_shell, until


class FakeCache:
    """EndorsementCache in memory."""

    online = True

    def __init__(self) -> None:
        now = time.time()
        self.kept = [
            CacheEntry("https://kdsintf.amd.com/a", EndorsementKind.VCEK, EntryState.FRESH, now, None, 1300),
            CacheEntry("https://kdsintf.amd.com/b", EndorsementKind.CRL, EntryState.WAITING, now, now + 30, 0),
        ]
        self.written: list[Path] = []

    async def fetch(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        return Endorsements()

    async def cached(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        return Endorsements()

    def entries(self) -> Sequence[CacheEntry]:
        return tuple(self.kept)

    def clear(self, urls: Collection[str] | None = None) -> int:
        before = len(self.kept)
        self.kept = [entry for entry in self.kept if urls is not None and entry.url not in urls]
        return before - len(self.kept)

    async def export(self, path: Path) -> int:
        self.written.append(path)
        return 1

    async def add(self, path: Path) -> int:
        raise InvalidInput("path", "This is no export of endorsements")


@asynccontextmanager
async def _page(
    source: FakeAttestations, cache: FakeCache | None = None
) -> AsyncIterator[tuple[EvidencePage, FleetSession]]:
    session = await fake_session()
    page = EvidencePage(session, source, lambda: cache)
    page.resize(1000, 640)
    try:
        page.show()
        yield page, session
    finally:
        page.hide()
        await page.aclose()
        await session.aclose()
        page.deleteLater()
        theme_controller().withdraw()


def _files(*names: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(f"/evidence/{name}") for name in names])
    return data


def test_files_are_sorted_out_by_what_they_are_for(tmp_path: Path) -> None:
    assert sort_out([Path("pdh.cert")]).evidence == Path("pdh.cert")
    given = sort_out([Path("ark.pem"), Path("report.bin"), Path("good.toml"), tmp_path, Path("other.bin")])
    assert given.evidence == Path("report.bin")
    assert given.endorsements == (Path("ark.pem"), tmp_path)
    assert given.reference == Path("good.toml")
    assert given.left_out == (Path("other.bin"),)
    assert sort_out([Path("a.pem"), Path("b.crl")]).evidence is None


def test_a_file_dropped_anywhere_is_verified(qasync_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            source = FakeAttestations()
            monkeypatch.setattr(opened.session, "attestations", source)
            window = opened.window
            data = _files("report.bin", "ark.pem")
            enter = QDragEnterEvent(
                QPoint(300, 300),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(window, enter)
            assert enter.isAccepted()
            hint = window.findChild(DropHint)
            assert hint is not None
            assert hint.isVisible()
            assert hint.size() == window.size()
            drop = QDropEvent(
                QPoint(300, 300),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(hint, drop)
            assert not hint.isVisible()
            assert window.page == "evidence"
            await until(lambda: len(source.verified) == 1)
            assert source.verified[0]["path"] == Path("/evidence/report.bin")
            assert source.verified[0]["endorsements"] == (Path("/evidence/ark.pem"),)
            page = window.findChild(EvidencePage)
            assert page is not None
            await until(lambda: page.view.headline.title.text() == "Trusted")

    qasync_run(scenario())


def test_a_drag_that_leaves_or_is_text_does_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            window = opened.window
            text = QMimeData()
            text.setText("web-1")
            for data, taken in ((text, False), (_files("report.bin"), True)):
                enter = QDragEnterEvent(
                    QPoint(9, 9),
                    Qt.DropAction.CopyAction,
                    data,
                    Qt.MouseButton.LeftButton,
                    Qt.KeyboardModifier.NoModifier,
                )
                enter.ignore()
                QApplication.sendEvent(window, enter)
                assert enter.isAccepted() is taken
            hint = window.findChild(DropHint)
            assert hint is not None
            QApplication.sendEvent(window, QDragLeaveEvent())
            await until(lambda: not hint.isVisible())
            assert window.page == "fleet"

    qasync_run(scenario())


def test_everything_that_is_given_reaches_the_verifier(qasync_run: Run) -> None:
    async def scenario() -> None:
        source = FakeAttestations()
        async with _page(source) as (page, _):
            page.inputs.report_data.setText("0xDE AD:be ef")
            page.inputs.at.setText("2026-11-23T12:00:00Z")
            page.inputs.allow_debug.setChecked(True)
            page.take([Path("/e/reference.json"), Path("/e/quote.dat"), Path("/e/pck.pem")])
            await until(lambda: len(source.verified) == 1)
            asked = source.verified[0]
            assert asked["report_data"] == "deadbeef"
            assert asked["at"] == datetime(2026, 11, 23, 12, tzinfo=UTC)
            assert asked["reference"] == Path("/e/reference.json")
            assert asked["allow_debug"] is True
            assert asked["fetch"] is False
            await until(lambda: page.history.rowCount() == 1)

    qasync_run(scenario())


def test_a_bad_file_is_told_in_one_line_and_nothing_is_lost(qasync_run: Run) -> None:
    async def scenario() -> None:
        source = FakeAttestations()
        async with _page(source) as (page, _):
            page.take([Path("/e/good.bin")])
            await until(lambda: page.view.record is not None)
            before = page.view.record
            source.error = InvalidInput("evidence", "This is no evidence that is known")
            page.take([Path("/e/holiday.jpg")])
            await until(page.inputs.problem.isVisible)
            assert page.inputs.problem.text() == "This is no evidence that is known"
            assert page.view.record is before
            assert page.inputs.verify.isEnabled()
            source.error = None
            page.inputs.report_data.setText("xyz")
            page.verify()
            await until(lambda: "hexadecimal" in page.inputs.problem.text())
            assert page.inputs.report_data.property("invalid") is True
            page.inputs.report_data.setText("00")
            page.inputs.at.setText("tomorrow")
            page.verify()
            await until(lambda: "is not a time" in page.inputs.problem.text())
            page.inputs.at.setText("")
            page.verify()
            await until(lambda: page.view.record is not before)
            assert not page.inputs.problem.isVisible()

    qasync_run(scenario())


def test_what_lacks_can_be_fetched_where_there_is_a_cache(qasync_run: Run) -> None:
    async def scenario() -> None:
        source = FakeAttestations()
        async with _page(source, FakeCache()) as (page, _):
            page.take([Path("/e/report.bin")])
            await until(lambda: page.fetch.isVisible() and page.fetch.isEnabled())
            source.next_record = make_record("", number=9, findings=(ROOT_EMULATED,))
            page.fetch.click()
            await until(lambda: len(source.verified) == 2)
            assert source.verified[1]["fetch"] is True
            await until(lambda: not page.fetch.isVisible())
        async with _page(source, None) as (page, _):
            page.take([Path("/e/report.bin")])
            await until(lambda: page.view.record is not None)
            assert not page.fetch.isVisible()

    qasync_run(scenario())


def test_earlier_files_are_shown_again(qasync_run: Run) -> None:
    async def scenario() -> None:
        kept = [make_record("", number=2, by="b.bin"), make_record("", number=1, by="a.bin", findings=(MISMATCH,))]
        async with _page(FakeAttestations(kept)) as (page, _):
            await until(lambda: page.history.rowCount() == 2)
            assert page.history.index(1, 5).data() == "a.bin"
            page.history_table.selectRow(1)
            await until(lambda: page.view.headline.title.text() == "Earlier: Not trusted")

    qasync_run(scenario())


def test_the_cache_is_seen_cleared_exported_and_added_to(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        cache = FakeCache()
        async with _page(FakeAttestations(), cache) as (page, _):
            page.tabs.setCurrentWidget(page.cache)
            await until(lambda: page.cache.model.rowCount() == 2)
            assert page.cache.model.index(1, 0).data() == "Waiting"
            assert page.cache.model.index(1, 2).data().startswith("waiting until")
            page.cache.write(tmp_path / "all.zip")
            await until(lambda: page.cache.banners.banner("cache") is not None)
            assert cache.written == [tmp_path / "all.zip"]
            page.cache.take(tmp_path / "no.zip")
            await until(lambda: "no export" in _banner(page))
            page.cache.table.selectRow(0)
            page.cache.clear.click()
            assert "Forget 1" in _banner(page)
            banner = page.cache.banners.banner("cache")
            assert banner is not None
            assert banner.action_button is not None
            banner.action_button.click()
            await until(lambda: page.cache.model.rowCount() == 1)
            assert cache.kept[0].url.endswith("/b")

    qasync_run(scenario())


def _banner(page: EvidencePage) -> str:
    banner = page.cache.banners.banner("cache")
    return banner.label.text() if banner is not None else ""


def test_without_a_cache_the_page_says_so(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _page(FakeAttestations()) as (page, _):
            await until(lambda: "keeps no endorsements" in page.cache.empty.heading.text())
            assert not page.cache.add.isEnabled()

    qasync_run(scenario())


@pytest.mark.vectors
def test_a_real_report_is_verified_by_the_real_verifier(qasync_run: Run, vectors_dir: Path) -> None:
    async def scenario() -> None:
        folder = vectors_dir / "confidential-containers+trustee/deps/verifier"
        async with open_shell() as opened:
            opened.window.verify_files(
                [
                    folder / "test_data/snp/test-report.bin",
                    folder / "test_data/snp/test-vcek.der",
                    folder / "src/snp/milan_ask_ark_asvk.pem",
                ]
            )
            page = opened.window.findChild(EvidencePage)
            assert page is not None
            await until(lambda: page.view.record is not None, "the verdict")
            assert page.view.headline.title.text() == "Trusted"
            assert not page.view.headline.emulated.isVisible()
            assert [box.link.name for box in page.view.chain.boxes] == [
                "ARK-Milan",
                "SEV-Milan",
                "SEV-VCEK",
                "SNP report",
            ]
            await until(lambda: page.history.rowCount() == 1)
            page.take([folder / "src/snp/milan_ask_ark_asvk.pem"])
            await until(page.inputs.problem.isVisible)
            assert page.view.record is not None

    qasync_run(scenario())
