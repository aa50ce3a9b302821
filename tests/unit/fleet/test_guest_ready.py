"""Waiting for a records guest."""

from __future__ import annotations

import pytest

from confvm_gui.domain.errors import GuestFault, WrongState
from confvm_gui.domain.query import Query, QueryAnswer
from confvm_gui.fleet.guest_ready import guest_ready
from tests.support.fake_provider import FakeProvider
from tests.unit.fleet.test_attestations import GUEST, session_of


class Waking(FakeProvider):
    """Answers with these, one after the other; with the last one for ever."""

    def __init__(self, *answers: str | Exception) -> None:
        super().__init__((GUEST,))
        self.answers = list(answers)

    async def query(self, instance_id: str, query: Query) -> QueryAnswer:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return QueryAnswer(1, ("key", "value"), (("state", answer),), "", 0.0)


async def test_it_waits_through_silence_and_reading() -> None:
    provider = Waking(GuestFault("It does not answer"), "reading", "indexing", "ready", "asked once too often")
    async with session_of(GUEST, provider=provider) as session:
        await guest_ready(session, GUEST.id)
        assert provider.answers == ["asked once too often"]


async def test_it_does_not_wait_for_ever_nor_for_what_has_ended() -> None:
    async with session_of(GUEST, provider=Waking("reading")) as session:
        with pytest.raises(GuestFault, match="did not index its records"):
            await guest_ready(session, GUEST.id, seconds=0.05)
    async with session_of(GUEST, provider=Waking("reading", WrongState("It has crashed"))) as session:
        with pytest.raises(WrongState):
            await guest_ready(session, GUEST.id)
