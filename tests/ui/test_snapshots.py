"""Snapshots and copies from the window: taken, returned to, deleted, and refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from confvm_gui.domain.errors import StoreFull
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.ui.banner import Banner
from confvm_gui.ui.panels.overview.panel import OverviewPanel
from confvm_gui.ui.panels.overview.snapshots import SnapshotsCard
from tests.support.fake_provider import make_instance
from tests.support.keeping_provider import KeepingProvider
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

GUEST = make_instance("guest")
OFF = make_instance("off", state=InstanceState.STOPPED)


async def card_of(opened: Opened, instance_id: str) -> SnapshotsCard:
    opened.window.open_instance(instance_id, "overview")
    await until(lambda: opened.window.instance_page.panel("overview"), "the overview")
    panel = opened.window.instance_page.panel("overview")
    assert isinstance(panel, OverviewPanel)
    return panel.snapshots


async def press(card: SnapshotsCard, name: str) -> None:
    def shown() -> list[QPushButton]:
        return [one for one in card.findChildren(QPushButton, name) if one.isVisibleTo(card) and one.isEnabled()]

    await until(shown, name)
    (button,) = shown()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def names(card: SnapshotsCard) -> list[str]:
    buttons = [one for one in card.findChildren(QPushButton) if one.isVisibleTo(card)]
    return [name.removeprefix("revert-") for one in buttons if (name := one.objectName()).startswith("revert-")]


def has_ended(opened: Opened, kind: OperationKind, count: int) -> bool:
    """Whether `count` operations of the kind are final."""
    return len([one for one in opened.session.jobs.recent() if one.kind is kind and one.status.is_final]) == count


async def confirm(card: SnapshotsCard) -> None:
    def asked() -> list[Banner]:
        return [one for one in card.findChildren(Banner) if one.isVisibleTo(card)]

    await until(asked, "the question")
    (banner,) = asked()
    assert banner.action_button is not None
    QTest.mouseClick(banner.action_button, Qt.MouseButton.LeftButton)


def test_taken_returned_to_and_deleted_from_the_overview(qasync_run: Run) -> None:
    async def scenario() -> None:
        provider = KeepingProvider((GUEST,))
        async with open_shell((GUEST,), provider=provider) as opened:
            card = await card_of(opened, GUEST.id)
            await until(card.isVisible, "the card")
            await until(card.take.isEnabled, "it can be taken")
            card.name.setText("first")
            QTest.keyClick(card.name, Qt.Key.Key_Return)
            await until(lambda: names(card) == ["first"], "it is listed")
            await press(card, "snapshot-take")
            await until(lambda: len(names(card)) == 2, "another with a name of its own")
            card.name.setText("first")
            await press(card, "snapshot-take")
            await until(lambda: "already" in card.message.text(), "the reason")
            provider.change(replace(GUEST, state=InstanceState.STOPPED))
            await until(lambda: opened.session.inventory.get(GUEST.id).state is InstanceState.STOPPED, "it is off")
            await press(card, "revert-first")
            assert provider.known[GUEST.id].state is InstanceState.STOPPED, "it is asked first"
            await confirm(card)
            await until(lambda: provider.known[GUEST.id].state is InstanceState.RUNNING, "it is back")
            await press(card, "delete-snapshot-first")
            await confirm(card)
            await until(lambda: len(names(card)) == 1 and names(card) != ["first"], "it is gone")
            provider.unfit = "Its disk vda has the format raw"
            card.read()
            await until(lambda: "format raw" in card.message.text(), "the reason why not")
            assert not card.take.isEnabled()
            assert any(label.text().startswith("Its disk") for label in card.findChildren(QLabel))

    qasync_run(scenario(), timeout=30)


def test_a_provider_without_snapshots_shows_no_card_and_offers_none(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell((GUEST, OFF)) as opened:
            card = await card_of(opened, GUEST.id)
            assert not card.isVisible()
            actions = opened.window.actions_.on_instances
            await until(actions[OperationKind.STOP].isEnabled, "the actions are offered")
            assert not actions[OperationKind.SNAPSHOT].isEnabled()
            assert not actions[OperationKind.CLONE].isEnabled()

    qasync_run(scenario(), timeout=30)


def test_cloned_and_kept_by_the_keyboard(qasync_run: Run) -> None:
    async def scenario() -> None:
        provider = KeepingProvider((GUEST, OFF))
        async with open_shell((GUEST, OFF), provider=provider) as opened:
            window = opened.window
            actions = window.actions_.on_instances
            window.fleet.view.set_current(GUEST.id)
            await until(actions[OperationKind.SNAPSHOT].isEnabled, "a running one can be kept")
            assert not actions[OperationKind.CLONE].isEnabled(), "but not copied"
            actions[OperationKind.SNAPSHOT].trigger()
            await until(lambda: provider.kept.get(GUEST.id), "it is kept")
            window.fleet.view.set_current(OFF.id)
            await until(actions[OperationKind.CLONE].isEnabled, "one that is off can be copied")
            provider.fail_next = StoreFull("The disk is full")
            for expected in (2, 3):  # machines: the first attempt fails
                actions[OperationKind.CLONE].trigger()
                banner = window.banners.banner("confirm")
                assert banner is not None
                name = banner.findChild(QLineEdit, "clone-name")
                assert name is not None
                assert name.text() == "off-copy"
                QTest.keyClick(name, Qt.Key.Key_Return)
                await until(partial(has_ended, opened, OperationKind.CLONE, expected - 1), "it has ended")
                assert len(provider.known) == expected
            assert sorted(one.name for one in provider.known.values()) == ["guest", "off", "off-copy"]

    qasync_run(scenario(), timeout=30)
