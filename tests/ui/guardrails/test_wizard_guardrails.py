"""The wizard under guardrails: a denial says what and why, the fix is applied, and the instance is created."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

from PySide6.QtWidgets import QPushButton

from confvm_gui.domain.errors import BugError
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.domain.policy import Assignment, Mode, Pack, Rule
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.fleet.keys import KeyListing, Keys
from confvm_gui.policy.pack_file import dump_pack
from confvm_gui.ui.wizard.draft import Step
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until
from tests.support.wizard_driver import WizardDriver


@asynccontextmanager
async def at_review(opened: Opened) -> AsyncIterator[WizardDriver]:
    """The window's own wizard, all defaults taken, at its last page."""
    opened.window.new_instance()
    await until(lambda: opened.window.wizard is not None and opened.window.wizard.isVisible(), "the wizard")
    wizard = opened.window.wizard
    assert wizard is not None
    driver = WizardDriver(wizard)
    await driver.to_data()
    driver.click("next")
    await driver.until(lambda: "Asking" not in driver.text("guardState"), "what the guardrails say")
    yield driver


async def switch_on(opened: Opened, pack: str | Pack, mode: Mode = Mode.ENFORCE) -> None:
    rules = opened.session.guard.rules
    if isinstance(pack, Pack):
        rules.import_pack(dump_pack(pack))
        pack = pack.name
    await rules.assign([Assignment(pack, 1, mode)])


def names_of(opened: Opened) -> set[str]:
    return {one.name for one in opened.session.inventory.all() if one.state is InstanceState.RUNNING}


def test_without_a_pack_it_says_unguarded_and_creates(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened, at_review(opened) as driver:
            assert driver.text("guardState").startswith("Unguarded")
            assert not driver.find(QPushButton, "applyFix").isVisible()
            assert driver.enabled("create")
            name = driver.wizard.draft.request.name
            driver.click("create")
            await until(lambda: name in names_of(opened), "the instance")

    qasync_run(scenario())


def test_a_denial_names_rule_field_and_change_and_the_fix_passes(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            await switch_on(opened, "google-launch")
            async with at_review(opened) as driver:
                assert driver.text("guardState").startswith("Denied")
                assert driver.text("headline") == "The guardrails deny it"
                assert "Denied by the guardrail google-launch/confidential-required" in driver.reason()
                assert not driver.enabled("create")
                fixes = {one.field: one.after for one in driver.wizard.guarding.forced_settings()}
                assert fixes["technology"] == "sev"
                assert fixes["image"] == "ubuntu-2004-lts"
                driver.click("applyFix")
                await driver.until(lambda: driver.text("guardState").startswith("Allowed"), "that it is allowed")
                assert driver.enabled("create")
                request = driver.wizard.draft.request
                assert request.image == fixes["image"]
                driver.click("create")
                await until(lambda: request.name in names_of(opened), "the instance")
                made = opened.session.inventory.find(request.name)
                assert made.technology is request.technology

    qasync_run(scenario())


def test_what_only_warns_is_shown_and_does_not_stop(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            rule = Rule(
                "owner", "Somebody answers for it", "has(vm.labels.owner)", "labels.owner", message="Name an owner"
            )
            await switch_on(opened, Pack("house", 1, "House", "", (rule,)), Mode.WARN)
            async with at_review(opened) as driver:
                assert driver.text("guardState") == "Allowed, with warnings."
                assert driver.enabled("create")
                driver.click("guardChange.labels.owner")
                assert driver.wizard.current_step() is Step.REVIEW
                driver.type_text("labels", "owner=ops")
                await driver.until(lambda: driver.text("guardState").startswith("Allowed: "), "that all holds")

    qasync_run(scenario())


def test_rules_that_change_meanwhile_are_asked_again_and_hold_below_the_window_too(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened, at_review(opened) as driver:
            rule = Rule("never", "Nothing is launched", "false", "technology", message="Nothing may be launched")
            await switch_on(opened, Pack("house", 1, "House", "", (rule,)))
            await driver.until(lambda: driver.text("guardState").startswith("Denied"), "the denial")
            assert not driver.enabled("create")
            driver.click("guardChange.technology")
            assert driver.wizard.current_step() is Step.CONFIDENTIAL
            # Past the window's own check, the request is refused where it is accepted.
            driver.wizard.submitted.emit(replace(driver.wizard.draft.finished(), name="sneaky"))
            await driver.until(lambda: "Denied by house/never" in driver.reason(), "the refusal")
            assert driver.wizard.current_step() is Step.REVIEW
            assert opened.session.jobs.recent() == ()
            await opened.session.guard.rules.grant("house", "never", "", "fire", 60)
            await driver.until(lambda: driver.text("guardState").startswith("Allowed"), "the exception")

    qasync_run(scenario())


class NoStores:
    """Of which nothing is asked."""

    schemes: tuple[str, ...] = ()

    def store(self, scheme: str) -> KeyStore:
        raise BugError(f"nobody asks for {scheme}")


class FixedKeys(Keys):
    """Keys of this computer and of a token."""

    async def listing(self, *, without: Collection[str] = ()) -> KeyListing:
        states = {
            "local:default": KeyState.ENABLED,
            "pkcs11:token=hsm;object=old": KeyState.DESTROYED,
            "pkcs11:token=hsm;object=disks": KeyState.ENABLED,
        }
        keys = tuple(KeyInfo(ref, "AES-256", "for tests", state) for ref, state in states.items())
        return KeyListing(keys, (), {})


def test_a_rule_for_keys_of_ones_own_finds_one_in_a_token(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            session = opened.session
            session.keys = FixedKeys(NoStores(), session.providers, session.events)
            await switch_on(opened, "european-residence")
            async with at_review(opened) as driver:
                assert driver.wizard.draft.request.disk_key == "local:default"
                assert driver.text("guardState").startswith("Denied")
                driver.click("guardKeys")
                fixes = driver.wizard.guarding.forced_settings
                await driver.until(lambda: "disk_key" in {one.field for one in fixes()}, "a key among the changes")
                assert not driver.find(QPushButton, "guardKeys").isVisible()
                driver.click("applyFix")
                await driver.until(lambda: driver.text("guardState").startswith("Allowed"), "that it is allowed")
                assert driver.wizard.draft.request.disk_key == "pkcs11:token=hsm;object=disks"

    qasync_run(scenario())
