"""The wizard for a libvirt host: its own catalogue, images of the library, a seed in place of records."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Capability
from confvm_gui.fleet.exposure.canary import planted
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.looks import Note
from tests.support.wizard_driver import opened
from tests.support.wizard_session import StandInProvider, StandInSession

HOST = "libvirt-db1-system"
NO_KVM = "This host runs machines without KVM"
HOSTILE = ("<x/>", "a&b", "\"q'", "../../etc/passwd", "a\x00b", "a\nb", "x" * 10_240, "\ud800", "é", " ")


class HostProvider(StandInProvider):
    """Learns what its host can do when the test says so."""

    def __init__(self, offers: frozenset[Technology] = frozenset()) -> None:
        super().__init__(frozenset())
        self.name, self.title, self.emulated = HOST, "QEMU on db1 (qemu+ssh://db1/system)", False
        self.known = False
        self.trouble = ""
        self._offers = offers
        self._told = asyncio.Event()

    def tell(self) -> None:
        self.known, self.technologies = True, self._offers
        self._told.set()

    async def learnt(self) -> None:
        await self._told.wait()

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if isinstance(what, Technology) and what in {*self.technologies, Technology.NONE}:
            return ""
        return NO_KVM if self.known else "What db1 offers has not been read yet"

    def definition(self, request: LaunchRequest) -> str:
        return f"<domain><name>{request.name}</name></domain>\n"


def _session(host: HostProvider) -> StandInSession:
    return StandInSession(providers={"embedded": StandInProvider(), HOST: host})


def _on_host() -> Draft:
    draft = Draft(_session(HostProvider()), None)
    draft.choose_provider(HOST)
    return draft


async def test_a_host_brings_its_own_cloud_and_the_way_back_keeps_the_other(qtbot: QtBot) -> None:
    draft = Draft(_session(HostProvider()), None)
    assert "libvirt" not in draft.clouds()
    draft.choose_provider(HOST)
    assert draft.on_host
    assert (draft.request.cloud, draft.request.region, draft.clouds()) == ("libvirt", "host", ("libvirt",))
    assert draft.request.machine_type == "medium-2", "the memory is this person's own"
    assert not draft.problem(Step.MACHINE)
    assert "library" in draft.problem(Step.IMAGE)
    assert not draft.problem(Step.DATA)
    assert draft.request.technology is Technology.NONE
    draft.choose_seed("", "admin", ("ssh-ed25519 AAAAAAAAAAAAAAAAAAAA you",))
    draft.choose_name("db-7")
    seed = draft.request.seed
    assert seed is not None
    assert (seed.hostname, seed.user) == ("db-7", "admin")
    assert not draft.problem(Step.DATA)
    draft.choose_provider("embedded")
    assert draft.request.cloud == "gce"
    assert not draft.on_host


def _said_of_host(wizard: QWidget) -> list[str]:
    card = wizard.findChild(QWidget, "wizard.host")
    assert card is not None
    return [note.text() for note in card.findChildren(Note) if note.isVisible()]


@pytest.mark.parametrize("offers", [frozenset[Technology](), frozenset({Technology.SEV, Technology.SEV_ES})])
async def test_what_the_host_offers_is_shown_once_it_has_told(qtbot: QtBot, offers: frozenset[Technology]) -> None:
    host = HostProvider(offers)
    async with opened(_session(host)) as driver:
        driver.take("provider", HOST)
        assert not driver.find(QWidget, "map").isVisible(), "one host is no region of the world"
        assert _said_of_host(driver.wizard) == ["The host is being asked what it offers …"]
        host.tell()
        await driver.until(lambda: len(_said_of_host(driver.wizard)) > 1, "the answer")
        said = _said_of_host(driver.wizard)
        assert [text for text in said if text in ("AMD SEV", "AMD SEV-ES")] == ["AMD SEV", "AMD SEV-ES"][: len(offers)]
        (refused,) = (text for text in said if NO_KVM in text)
        assert ("AMD SEV-SNP" in refused, "AMD SEV," in refused) == (True, not offers)
        assert driver.wizard.draft.wanted is Technology.SEV


async def test_a_host_that_cannot_be_asked_says_why(qtbot: QtBot) -> None:
    host = HostProvider()
    host.trouble = "db1 does not answer"
    async with opened(_session(host)) as driver:
        driver.take("provider", HOST)
        assert _said_of_host(driver.wizard) == ["db1 does not answer"]


async def test_the_review_shows_the_definition_for_the_hosts_own_tools(qtbot: QtBot) -> None:
    async with opened(_session(HostProvider())) as driver:
        driver.take("provider", HOST)
        driver.type_text("name", "db-7")
        driver.wizard.go_to(Step.REVIEW)
        assert "<name>db-7</name>" in driver.find(QPlainTextEdit, "export.libvirt").toPlainText()
        driver.wizard.go_to(Step.WHERE)
        driver.take("provider", "embedded")
        driver.wizard.go_to(Step.REVIEW)
        assert driver.find(QPlainTextEdit, "export.gcloud").toPlainText().startswith("gcloud ")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_texts_are_refused_at_their_field(qtbot: QtBot, text: str) -> None:
    """None of them reaches a host: each page says in a sentence what it takes."""
    draft = _on_host()
    draft.choose_name(text)
    assert draft.problem(Step.WHERE)
    draft.choose_name("db-7")
    for hostname, user, keys in (
        (text, "", ()),
        ("", text, ()),
        ("", "", (text,)),
        ("", "", (f"ssh-ed25519 {'A' * 30}\n{text}",)),
    ):
        draft.choose_seed(hostname, user, keys)
        assert draft.problem(Step.DATA)
    draft.choose_seed("", "", ())
    assert not draft.problem(Step.DATA)
    for image in (f"local:{text}", f"local:../{text}", text):
        draft.choose_image(image)
        assert draft.problem(Step.IMAGE)


async def test_a_canary_is_planted_with_the_seed_and_taken_out_again(qtbot: QtBot) -> None:
    host = HostProvider()
    async with opened(_session(host)) as driver:
        driver.take("provider", HOST)
        driver.wizard.go_to(Step.DATA)
        driver.click("seedCanary")
        seed = driver.wizard.draft.request.seed
        assert seed is not None
        canary = planted(seed)
        assert canary is not None
        assert canary.token.startswith("confvm-canary-")
        driver.type_text("seedUser", "Nobody & Sons")
        assert "lower-case" in driver.reason()
        driver.type_text("seedUser", "admin")
        seed = driver.wizard.draft.request.seed
        assert seed is not None
        assert (again := planted(seed)) is not None
        assert again.token == canary.token
        assert driver.find(QCheckBox, "seedCanary").isChecked()
        driver.click("seedCanary")
        assert driver.find(QLineEdit, "seedUser").text() == "admin"
        seed = driver.wizard.draft.request.seed
        assert seed is not None
        assert planted(seed) is None
