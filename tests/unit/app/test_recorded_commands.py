"""What commands record: plaintext before it is shown, and nothing kept of directories that are not to last."""

from __future__ import annotations

import argparse
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from confvm_gui.app.bootstrap import open_session
from confvm_gui.app.cli import build_parser
from confvm_gui.app.hosts_commands import run_peek
from confvm_gui.domain.errors import Forbidden, ReadOnly
from confvm_gui.domain.event import AuditFilter
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.audit.anchor import AnchorFile
from confvm_gui.store import open_store
from tests.support.fake_provider import FakeProvider, make_instance

WEB = make_instance("web", state=InstanceState.RUNNING)


@asynccontextmanager
async def hosts(_data_dir: Path | None, _connect: Sequence[str]) -> AsyncIterator[Mapping[str, Provider]]:
    provider = FakeProvider((WEB,))
    yield {provider.name: provider}
    await provider.aclose()


def peek(data_dir: Path, view: str) -> argparse.Namespace:
    words = ["peek", "web", "--gpa", "0", "--length", "32", "--view", view, "--data-dir", str(data_dir)]
    return build_parser().parse_args(words)


async def told(data_dir: Path) -> list[str]:
    async with await open_store(data_dir, readonly=True) as store:
        found = await store.audit.search(AuditFilter(), limit=99, after=0)
        return [record.event.action for record in found if record.event.subject == WEB.id]


async def test_peeking_at_plaintext_is_recorded_and_the_hosts_view_is_not(data_dir: Path) -> None:
    out = io.StringIO()
    assert await run_peek(peek(data_dir, "hypervisor"), out, hosts) == 0
    assert await told(data_dir) == []
    assert await run_peek(peek(data_dir, "guest"), out, hosts) == 0
    assert out.getvalue().count("\n") == 4
    assert await told(data_dir) == ["memory.view-plaintext"]


async def test_plaintext_that_cannot_be_recorded_is_not_shown(data_dir: Path) -> None:
    out = io.StringIO()
    async with await open_store(data_dir):
        with pytest.raises(ReadOnly):
            await run_peek(peek(data_dir, "guest"), out, hosts)
        assert await run_peek(peek(data_dir, "hypervisor"), io.StringIO(), hosts) == 0, (
            "what the host sees is no secret"
        )
    assert out.getvalue() == ""


async def test_plaintext_is_shown_to_nobody_without_the_right_to_it(data_dir: Path) -> None:
    (data_dir / "roles.toml").write_text('[users]\nbob = ["administrator"]\n')
    out = io.StringIO()
    with pytest.raises(Forbidden, match="plaintext"):
        await run_peek(peek(data_dir, "guest"), out, hosts)
    assert out.getvalue() == ""
    assert await told(data_dir) == ["access.denied"]


@pytest.mark.parametrize("lasting", [True, False])
async def test_of_a_directory_that_does_not_last_nothing_is_kept_elsewhere(data_dir: Path, lasting: bool) -> None:
    session = await open_session(data_dir, workers=1, lasting=lasting)
    session.events.record("setting.changed", "Something was changed")
    await session.aclose()
    anchor = AnchorFile(data_dir).path
    assert anchor.exists() is lasting
    assert (data_dir / "signing").exists() is lasting
    anchor.unlink(missing_ok=True)
