"""Keys in the real window over a real SoftHSM: a token's key from its making to its end, and what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox

from confvm_gui.domain.errors import Forbidden, KeyUnavailable
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import Role
from confvm_gui.engine.guests.records_disk import HEADER_BYTES, DiskHeader, decrypt_sectors
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.pkcs11 import Pkcs11KeyStore
from confvm_gui.providers.embedded.host_keys import KEY_REF
from tests.support.cloud_sites import REGION, aws_kms
from tests.support.embedded_rig import SECRET_FIELD, files_with, write_records
from tests.support.keys_window import KeysWindow, keys_window
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.softhsm import MODULE, PIN, TOKEN, SoftHsm, softhsm

IN_TOKEN = f"pkcs11:token={TOKEN};object=disks"


@pytest.fixture
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("hsm")) as opened:
        yield opened


@pytest.fixture
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("records"))


def disk(data_dir: Path, instance_id: str) -> bytes:
    return (data_dir / "instances" / instance_id / "disk.img").read_bytes()


def opened_by(dek: bytes, image: bytes) -> bytes:
    return decrypt_sectors(image[HEADER_BYTES:], dek)


async def make_in_token(at: KeysWindow) -> None:
    """As a person does: the library, the token, the name, and the PIN when it is asked for."""
    await at.look()
    at.fill_form("pkcs11", TOKEN, "disks")
    at.find(QLineEdit, "keys-module").setText(MODULE)
    at.click("keys-make")
    await at.answer_pin(PIN)
    await until(lambda: at.page.model.row_of(IN_TOKEN) is not None, "the key in the list", 20)
    await at.quiet()


def become(at: KeysWindow, role: Role) -> None:
    access = at.session.access
    access.assignments = Assignments({access.user: frozenset({role}), "other": frozenset({Role.ADMINISTRATOR})})
    at.window.show_page("keys")


def test_a_tokens_key_from_its_making_to_its_end(
    qasync_run: Run, data_dir: Path, tmp_path: Path, records: Path, hsm: SoftHsm, caplog: pytest.LogCaptureFixture
) -> None:
    deks: list[bytes] = []
    copy = tmp_path / "an older copy"

    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await make_in_token(at)
            assert at.info(IN_TOKEN).state is KeyState.ENABLED
            instance = await at.launch(records, IN_TOKEN)
            header = DiskHeader.decode(disk(data_dir, instance.id)[:HEADER_BYTES])
            assert header.key_ref == IN_TOKEN
            owner = Pkcs11KeyStore(MODULE, KeyLedger(tmp_path / "owner"), ask_pin=lambda _token: PIN)
            dek = await owner.unwrap(IN_TOKEN, header.wrapped_dek)
            deks.append(dek)
            assert SECRET_FIELD.encode() in opened_by(dek, disk(data_dir, instance.id)), "the key is the disk's"
            await at.look()
            at.page.select(IN_TOKEN)
            assert at.find(QLabel, "keys-uses").text() == "probe (disk)"
            assert not (await at.act(OperationKind.STOP, instance)).error

            hsm.take_out()
            refused = await at.act(OperationKind.START, instance)
            assert f"The token {TOKEN} is not there; plug it in" in refused.error
            assert at.state_of("probe") is InstanceState.STOPPED
            await at.look()
            gone = at.info(IN_TOKEN)
            assert (gone.state, "plug it in" in gone.state_reason) == (KeyState.UNREACHABLE, True)

            hsm.put_back()
            assert not (await at.act(OperationKind.START, instance)).error
            assert not (await at.act(OperationKind.STOP, instance)).error
            shutil.copytree(data_dir / "instances", copy / "instances")
            shutil.copytree(data_dir / "keys", copy / "keys")

            await at.look()
            at.page.select(IN_TOKEN)
            at.click("keys-destroy")
            assert "probe" in _texts(at), "who loses what is named"
            at.find(QSpinBox, "keys-days").setValue(0)
            assert not at.page.detail.ending.end.isEnabled(), "not before somebody agrees to the loss"
            at.find(QCheckBox, "keys-agree").setChecked(True)
            at.click("keys-destroy-now")
            await at.quiet()
            await until(lambda: at.info(IN_TOKEN).state is KeyState.DESTROYED, "the key's end", 20)
            lost = await at.act(OperationKind.START, instance)
            assert "was destroyed on" in lost.error
            for kept in (data_dir, copy):
                wrapped = DiskHeader.decode(disk(kept, instance.id)[:HEADER_BYTES]).wrapped_dek
                with pytest.raises(KeyUnavailable):
                    await Pkcs11KeyStore(MODULE, KeyLedger(kept), ask_pin=lambda _token: PIN).unwrap(IN_TOKEN, wrapped)
            (ended,) = await at.told("key.destroy")
            states = [said["state"] for said in (ended.event.before, ended.event.after) if isinstance(said, dict)]
            assert states == ["enabled", "destroyed"]
            assert [each.event.subject for each in await at.told("key.unwrap-refused")] == [instance.id] * 2
            assert {each.event.subject for each in await at.told("key.unwrap")} - {""} == {instance.id}
            assert all(PIN not in line.text() for line in at.window.findChildren(QLineEdit))
            assert PIN not in repr((at.pins, at.session, at.keys))

    with caplog.at_level(logging.DEBUG, logger="confvm_gui"):  # what `--debug` shows
        qasync_run(scenario(), timeout=120)
    (dek,) = deks
    assert PIN not in caplog.text
    assert dek.hex() not in caplog.text
    secrets = [dek, dek[:32], dek[32:], dek.hex().encode(), PIN.encode(), SECRET_FIELD.encode()]
    assert files_with(data_dir, *secrets) == []
    assert files_with(copy, *secrets) == []


def _texts(at: KeysWindow) -> str:
    return "\n".join(label.text() for label in at.page.detail.ending.findChildren(QLabel))


def test_a_key_of_this_computer_is_made_rotated_disabled_and_its_end_called_off(
    qasync_run: Run, data_dir: Path
) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.look()
            at.fill_form("local", "", "team")
            at.click("keys-make")
            await until(lambda: at.page.model.row_of("local:team") is not None, "the key")
            await at.quiet()
            QAbstractItemModelTester(at.page.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
            at.page.select("local:team")
            at.click("keys-rotate")
            await at.quiet()
            assert at.info("local:team").versions == 2
            at.click("keys-disable")
            await at.quiet()
            assert at.info("local:team").state is KeyState.DISABLED
            at.click("keys-enable")
            await at.quiet()
            at.click("keys-destroy")
            at.click("keys-destroy-now")
            await at.quiet()
            assert at.info("local:team").state is KeyState.DESTROY_SCHEDULED
            at.click("keys-restore")
            await at.quiet()
            assert at.info("local:team").state is KeyState.DISABLED
            for action in ("create", "rotate", "disable", "enable", "destroy", "restore"):
                (record,) = await at.told(f"key.{action}")
                assert (record.event.before is None) == (action == "create"), action
                assert record.event.after is not None

    qasync_run(scenario())


def test_a_clouds_key_is_made_used_and_ended_with_the_least_time_of_its_service(
    qasync_run: Run, data_dir: Path, records: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ref = f"awskms:{REGION}/alias/disks"

    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.look()
            at.fill_form("awskms", REGION, "disks")
            at.click("keys-make")
            await until(lambda: at.page.model.row_of(ref) is not None, "the key in the list", 20)
            await at.quiet()
            assert at.keys.places is not None
            assert at.keys.places.of("awskms") == (REGION,), "it is looked for there from now on"
            instance = await at.launch(records, ref)
            assert DiskHeader.decode(disk(data_dir, instance.id)[:HEADER_BYTES]).key_ref == ref
            await at.look()
            at.page.select(ref)
            for days, state in ((0, KeyState.ENABLED), (7, KeyState.DESTROY_SCHEDULED)):
                at.click("keys-destroy")
                at.find(QSpinBox, "keys-days").setValue(days)
                at.find(QCheckBox, "keys-agree").setChecked(True)
                at.click("keys-destroy-now")
                await at.quiet()
                assert at.info(ref).state is state
                assert ("7 to 30 days after" in at.page.detail.message.text()) == (days == 0)
            assert not (await at.act(OperationKind.STOP, instance)).error
            assert "to be destroyed" in (await at.act(OperationKind.START, instance)).error
            at.click("keys-restore")
            await at.quiet()
            at.click("keys-enable")
            await at.quiet()
            assert not (await at.act(OperationKind.START, instance)).error

    with aws_kms(tmp_path_factory.mktemp("cloud")):
        qasync_run(scenario(), timeout=90)


def test_what_a_disk_key_is_wrapped_by_is_changed_while_its_instance_runs(
    qasync_run: Run, data_dir: Path, records: Path
) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            instance = await at.launch(records, "local:default")
            await at.keys.create("local:other")
            await at.look()
            at.page.select("local:other")
            at.page.select("local:default")
            target = at.find(QComboBox, "keys-target")
            assert target.currentData() == "local:default", "its own newest version, whatever was looked at before"
            assert target.findData(KEY_REF) == -1, "the hosts' own key is for nobody else"
            at.choose("keys-target", "local:other")
            at.click("keys-rewrap")
            await at.quiet()
            assert DiskHeader.decode(disk(data_dir, instance.id)[:HEADER_BYTES]).key_ref == "local:other"
            at.page.select("local:other")
            assert at.find(QLabel, "keys-uses").text() == "probe (disk)"
            assert at.state_of("probe") is InstanceState.RUNNING

    qasync_run(scenario(), timeout=60)


def test_nobody_who_gives_no_pin_gets_at_the_token_nor_is_asked_again(
    qasync_run: Run, data_dir: Path, hsm: SoftHsm
) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.look()
            at.click("keys-where")
            at.find(QLineEdit, "keys-places-module").setText(MODULE)
            at.click("keys-places-save")
            await until(lambda: at.window.findChild(QLineEdit, "pin-field"), "the question")
            QTest.keyClick(at.find(QLineEdit, "pin-field"), Qt.Key.Key_Escape)
            await at.quiet()
            assert f"The token {TOKEN} was not unlocked" in at.page.problems
            await at.look()
            assert at.window.findChild(QLineEdit, "pin-field") is None
            assert f"The token {TOKEN} was not unlocked" in at.page.problems, "it is still so"
            at.click("keys-look")
            await at.answer_pin(PIN)
            await at.quiet()
            assert at.page.problems == ""

    qasync_run(scenario())


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.AUDITOR])
def test_only_administrators_change_keys(qasync_run: Run, data_dir: Path, role: Role) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.keys.create("local:team")
            await at.look()
            become(at, role)
            await at.quiet()
            at.page.select("local:team")
            detail = at.page.detail
            for button in (detail.rotate, detail.disable, detail.end, at.page.new):
                assert not button.isEnabled()
            assert f"is {role.value} here and may not manage keys" in at.page.denied
            for change in (at.keys.rotate, at.keys.disable, at.keys.destroy, at.keys.create, at.keys.rewrap):
                with pytest.raises(Forbidden):
                    await change("local:team")
            become(at, Role.ADMINISTRATOR)
            assert (await at.keys.info("local:team")).state is KeyState.ENABLED

    qasync_run(scenario())


def test_a_key_that_needs_two_people_stays_until_the_second_agrees(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.keys.create("local:team")
            access = at.session.access
            access.assignments = Assignments(
                {access.user: frozenset({Role.ADMINISTRATOR}), "other": frozenset({Role.ADMINISTRATOR})},
                needed=frozenset({"key.destroy"}),
            )
            await at.look()
            at.page.select("local:team")
            at.click("keys-destroy")
            at.find(QSpinBox, "keys-days").setValue(0)
            at.click("keys-destroy-now")
            await at.quiet()
            assert "needs a second person" in at.page.detail.message.text()
            assert at.info("local:team").state is KeyState.ENABLED
            (waiting,) = await at.session.approvals.recent()
            assert (waiting.kind, waiting.subject) == ("key.destroy", "local:team")
            with pytest.raises(Forbidden):
                await at.session.approvals.decide(waiting.id, approve=True)
            assert (await at.keys.info("local:team")).state is KeyState.ENABLED
            access.user = "other"
            await at.session.approvals.decide(waiting.id, approve=True)
            await at.quiet()
            assert at.info("local:team").state is KeyState.DESTROYED, "and the page shows it"

    qasync_run(scenario())


def test_the_form_offers_every_store_and_says_what_it_refuses(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            await at.look()
            at.fill_form("local", "", "NOT A NAME")
            stores = at.find(QComboBox, "keys-store")
            assert [stores.itemData(row) for row in range(stores.count())] == [
                "local",
                "pkcs11",
                "awskms",
                "gcpkms",
                "azurekv",
            ]
            at.click("keys-make")
            await until(lambda: at.find(QLabel, "keys-problem").text(), "the refusal")
            await at.quiet()
            assert at.page.form.name.text() == "NOT A NAME", "what was typed stays"

    qasync_run(scenario())


def test_a_window_that_closes_leaves_nobody_waiting_for_a_pin(qasync_run: Run, data_dir: Path, hsm: SoftHsm) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            assert at.keys.places is not None
            at.keys.places.choose_module(MODULE)
            asked = asyncio.create_task(at.keys.info(IN_TOKEN))
            await until(lambda: at.window.findChild(QLineEdit, "pin-field"), "the question")
        with pytest.raises(KeyUnavailable, match="was not unlocked"):
            await asked

    qasync_run(scenario())
