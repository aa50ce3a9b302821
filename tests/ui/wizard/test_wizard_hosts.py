"""The wizard for a libvirt host: its own catalogue, images of the library, a seed in place of records."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from confvm_gui.domain.catalogue import Technology
from confvm_gui.ui.wizard.draft import Draft, Step
from tests.support.wizard_session import StandInProvider, StandInSession

HOST = "libvirt-db1-system"


def _host() -> StandInProvider:
    provider = StandInProvider(frozenset())
    provider.name, provider.title, provider.emulated = HOST, "QEMU on db1", False
    return provider


def test_a_host_brings_its_own_cloud_and_the_way_back_keeps_the_other(qtbot: QtBot) -> None:
    draft = Draft(StandInSession(providers={"embedded": StandInProvider(), HOST: _host()}), None)
    assert "libvirt" not in draft.clouds()
    draft.choose_provider(HOST)
    assert draft.on_host
    assert (draft.request.cloud, draft.request.region, draft.clouds()) == ("libvirt", "host", ("libvirt",))
    assert not draft.problem(Step.MACHINE)
    assert "library" in draft.problem(Step.IMAGE)
    assert not draft.problem(Step.DATA)
    assert draft.request.technology is Technology.NONE
    draft.choose_seed("", "admin", ("ssh-ed25519 AAAA you",))
    draft.choose_name("db-7")
    seed = draft.request.seed
    assert seed is not None
    assert (seed.hostname, seed.user) == ("db-7", "admin")
    draft.choose_provider("embedded")
    assert draft.request.cloud == "gce"
    assert not draft.on_host
