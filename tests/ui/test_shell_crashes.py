"""What the window says when guests crash while it is open."""

from __future__ import annotations

from dataclasses import replace

from confvm_gui.domain.instance import InstanceState
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

_REASON = "The process that ran its vCPU ended"


def _text(opened: Opened) -> str:
    banner = opened.window.banners.banner("crashed")
    return "" if banner is None else banner.label.text()


def test_a_crash_is_told_wherever_one_is_looking(qasync_run: Run) -> None:
    async def scenario() -> None:
        fleet = [make_instance(f"web-{at}") for at in range(3)]
        old = make_instance("old", state=InstanceState.CRASHED)
        async with open_shell([*fleet, old]) as opened:
            opened.window.show_page("settings")
            assert _text(opened) == ""
            crashed = [replace(one, state=InstanceState.CRASHED, state_reason=_REASON) for one in fleet]
            opened.session.inventory.observe(crashed[0])
            await until(lambda: _text(opened) == f"web-0 crashed: {_REASON}")
            opened.session.inventory.observe(crashed[1])
            await until(lambda: _text(opened).startswith("2 instances crashed"))
            assert _REASON in _text(opened)
            banner = opened.window.banners.banner("crashed")
            assert banner is not None
            assert banner.action_button is not None
            banner.action_button.click()
            assert opened.window.page == "fleet"
            await until(lambda: opened.window.model.rowCount() == 3)

    qasync_run(scenario())


def test_the_notice_leaves_when_all_run_again(qasync_run: Run) -> None:
    async def scenario() -> None:
        one = make_instance("web-0")
        async with open_shell([one]) as opened:
            opened.session.inventory.observe(replace(one, state=InstanceState.CRASHED, state_reason=_REASON))
            await until(lambda: _text(opened) != "")
            opened.session.inventory.observe(one)
            await until(lambda: _text(opened) == "")

    qasync_run(scenario())
