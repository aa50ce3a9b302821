"""Secrets for guests in the real window: bound to a running SEV-SNP instance, given to it, revoked."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QTabWidget

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.ports.provider import HasEvidence
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.release.broker import nonce_digest
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.ui.release.view import SecretsView
from tests.support.embedded_rig import write_records
from tests.support.keys_window import KeysWindow, keys_window
from tests.support.runners import Run
from tests.support.shell_driver import until


async def secrets_of(at: KeysWindow) -> SecretsView:
    await at.look()
    at.find(QTabWidget, "keys-tabs").setCurrentIndex(1)
    return at.find(SecretsView, "release-view")


def text_of(view: SecretsView) -> str:
    return " ".join(label.text() for label in view.detail.findChildren(QLabel) if label.isVisible())


def history(view: SecretsView) -> str:
    label = view.detail.findChild(QLabel, "release-history")
    assert label is not None
    return label.text()


def fill(at: KeysWindow, view: SecretsView, name: str, secret: str) -> None:
    at.click("release-new")
    QTest.keyClicks(view.form.name, name)
    QTest.keyClicks(view.form.secret, secret)


def test_a_secret_is_bound_to_a_guest_given_and_revoked(
    qasync_run: Run, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def scenario() -> None:
        records = write_records(tmp_path_factory.mktemp("records"))
        async with keys_window(data_dir) as at:
            instance = await at.launch(records, "local:default")
            await at.keys.create("local:secrets")
            view = await secrets_of(at)
            fill(at, view, "database", "the keeper's key")
            assert view.form.secret.echoMode() is QLineEdit.EchoMode.Password
            await until(lambda: view.form.key.findText("local:secrets") >= 0, "the keys")
            at.choose("release-instance", instance.id)
            view.form.key.setEditText("local:secrets")
            view.form.only_this.setChecked(True)
            at.click("release-bind")
            await until(lambda: view.form.isHidden() and view.detail.isVisible(), "the secret is shown", 20)
            assert view.form.secret.text() == ""

            broker, provider = at.session.broker, at.session.providers["embedded"]
            assert broker is not None
            assert isinstance(provider, HasEvidence)
            (bound,) = await broker.listing()
            assert bound.conditions is not None
            assert bound.conditions.instance == instance.id
            nonce = nonce_digest("database", await broker.challenge("database"))
            answer = await provider.evidence(instance.id, EvidenceFormat.SNP_REPORT, nonce)
            assert (await broker.give("database", answer.evidence, answer.endorsements)).given
            await until(lambda: "given 1 time" in text_of(view), "the count")
            await until(lambda: "was given to a guest" in history(view), "the history")

            assert not view.revoke.isEnabled()
            at.find(QCheckBox, "release-sure").setChecked(True)
            at.click("release-revoke")
            await until(lambda: "Revoked" in text_of(view), "the revocation")
            assert view.revoke.isHidden()

    qasync_run(scenario())


def test_what_is_wrong_stands_at_the_form_and_loses_nothing(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            view = await secrets_of(at)
            fill(at, view, "no spaces please", "s")
            assert not view.form.bind.isEnabled()
            view.form.digest.setText("ab" * 47)
            at.click("release-bind")
            await until(lambda: "96 hexadecimal digits" in view.form.problem.text(), "what is wrong with the digest")
            view.form.digest.setText("ab" * 48)
            assert view.form.problem.isHidden()
            at.click("release-bind")
            await until(lambda: "letters, digits" in view.form.problem.text(), "what is wrong with the name")
            view.form.name.setText("named")
            at.click("release-bind")
            await until(lambda: "local:secrets" in view.form.problem.text(), "that there is no such key")
            assert (view.form.name.text(), view.form.secret.text()) == ("named", "s")
            await at.keys.create("local:secrets")
            at.click("release-bind")
            await until(view.form.isHidden, "that it is bound")
            assert at.session.broker is not None
            assert [one.name for one in await at.session.broker.listing()] == ["named"]

    qasync_run(scenario())


def test_who_may_not_manage_keys_is_told_why(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            view = await secrets_of(at)
            user = at.session.access.user
            at.session.access.assignments = Assignments({user: frozenset({Role.VIEWER})}, by_file=True)
            assert not view.new.isEnabled()
            assert "may not manage keys" in view.new.toolTip()

    qasync_run(scenario())
