"""What verdicts make of an instance's trust, and when that ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from confvm_gui.domain.attestation import EvidenceFormat, Finding, TrustLink, Verdict
from confvm_gui.domain.attestation_record import AttestationRecord, Occasion
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.fleet.attest.trust import TITLES, TrustOverlay, mark_of
from tests.support.fake_provider import make_instance
from tests.support.patience import until
from tests.support.vouching_provider import VouchingProvider
from tests.unit.fleet.test_attestations import GUEST, session_of
from tests.unit.store.nouns import record

SNP, TPM = EvidenceFormat.SNP_REPORT, EvidenceFormat.TPM_QUOTE
STATES = InstanceState
BAD = Finding("signature-invalid", Severity.ERROR, "", "", "")
INSTANCE = make_instance("guest", trust=Trust.UNKNOWN)


def said(
    form: EvidenceFormat = SNP, *, good: bool = True, at: float = 10.0, launch: bool = False, root: bool = True
) -> AttestationRecord:
    links = (TrustLink("ARK", "ARK", True, "00"),) if root else (TrustLink("OCA", "OCA", True),)
    return replace(
        record(1, INSTANCE.id),
        at=at,
        occasion=Occasion.LAUNCH if launch else Occasion.REFRESH,
        verdict=Verdict(form, (), () if good else (BAD,), links),
    )


class Watch:
    """An overlay and what it shows of one instance."""

    def __init__(self, instance: Instance = INSTANCE) -> None:
        self.overlay = TrustOverlay()
        self.instance = instance

    def becomes(self, *states: InstanceState) -> None:
        for state in states:
            now = replace(self.instance, state=state)
            self.overlay.follow(self.instance, now)
            self.instance = now

    def shown(self) -> tuple[Trust, float | None]:
        instance = self.overlay.laid_over(self.instance)
        return instance.trust, instance.attested_at


@pytest.mark.parametrize(
    ("verdict", "trust"),
    [
        (said(), Trust.TRUSTED),
        (said(root=False), Trust.MEASURED),
        (said(good=False), Trust.UNTRUSTED),
        (said(TPM), None),
        (said(TPM, good=False), Trust.UNTRUSTED),
    ],
)
def test_what_a_verdict_says(verdict: AttestationRecord, trust: Trust | None) -> None:
    assert mark_of(verdict).trust is trust


def test_every_format_has_a_title() -> None:
    assert set(TITLES) == set(EvidenceFormat)


def test_the_worst_latest_verdict_decides_and_the_newest_tells_how_fresh() -> None:
    watch = Watch()
    watch.overlay.note(said(at=1.0))
    watch.overlay.note(said(TPM, good=False, at=2.0))
    watch.overlay.note(said(at=3.0))
    assert watch.shown() == (Trust.UNTRUSTED, 3.0)
    watch.overlay.note(said(TPM, at=4.0))
    assert watch.shown() == (Trust.TRUSTED, 4.0)
    watch.overlay.note(said(EvidenceFormat.SEV_LAUNCH, root=False, at=5.0))
    assert watch.shown() == (Trust.TRUSTED, 5.0)


def test_a_plain_instance_can_only_lose() -> None:
    plain = Watch(replace(INSTANCE, technology=Technology.NONE, trust=Trust.NOT_APPLICABLE))
    plain.overlay.note(said(EvidenceFormat.GCE_VTPM))
    assert plain.shown() == (Trust.NOT_APPLICABLE, 10.0)
    plain.overlay.note(said(TPM, good=False))
    assert plain.shown()[0] is Trust.UNTRUSTED


@pytest.mark.parametrize(
    "ending",
    [
        (STATES.STOPPING, STATES.STOPPED, STATES.STARTING, STATES.RUNNING),
        (STATES.CRASHED, STATES.RUNNING),
        (STATES.STARTING, STATES.RUNNING),
    ],
)
def test_a_verdict_ends_with_the_power_on(ending: tuple[InstanceState, ...]) -> None:
    watch = Watch()
    watch.overlay.note(said())
    watch.becomes(STATES.PAUSED, STATES.RUNNING)
    assert watch.shown()[0] is Trust.TRUSTED
    watch.becomes(*ending)
    assert watch.shown() == (Trust.UNKNOWN, None)


def test_the_verdict_on_a_launch_waits_for_the_instance_to_run() -> None:
    watch = Watch()
    watch.becomes(STATES.STOPPED, STATES.STARTING)
    watch.overlay.note(said(launch=True))
    assert watch.shown() == (Trust.UNKNOWN, None)
    watch.becomes(STATES.STOPPING, STATES.STARTING, STATES.RUNNING)  # told late of how it got there
    assert watch.shown()[0] is Trust.TRUSTED
    watch.becomes(STATES.STOPPED, STATES.RUNNING)
    assert watch.shown()[0] is Trust.UNKNOWN


def test_a_launch_that_failed_later_says_nothing_of_the_next() -> None:
    watch = Watch()
    watch.becomes(STATES.STOPPED)
    watch.overlay.note(said(launch=True))
    watch.overlay.power_on_begins(INSTANCE.id)
    watch.becomes(STATES.STARTING, STATES.RUNNING)
    assert watch.shown() == (Trust.UNKNOWN, None)


def test_a_restart_that_showed_no_stop_ends_what_is_older() -> None:
    watch = Watch()
    watch.overlay.note(said(at=1.0))
    watch.overlay.note(said(EvidenceFormat.SEV_LAUNCH, at=5.0, launch=True, root=False))
    watch.overlay.restarted(INSTANCE.id, 4.0)
    assert watch.shown() == (Trust.MEASURED, 5.0)
    watch.overlay.forget(INSTANCE.id)
    assert watch.shown() == (Trust.UNKNOWN, None)


class Slow(VouchingProvider):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__((GUEST,))
        self.may = asyncio.Event()
        self.asked = False

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        found = await super().evidence(instance_id, form, nonce)
        self.asked = True
        await self.may.wait()
        return found


@pytest.mark.parametrize("states", [(STATES.STOPPED,), (STATES.STOPPED, STATES.RUNNING)])
async def test_an_answer_from_before_a_restart_is_kept_but_says_nothing_of_now(
    states: tuple[InstanceState, ...],
) -> None:
    provider = Slow()
    async with session_of(GUEST, provider=provider) as session:
        asking = asyncio.ensure_future(session.attestations.refresh(GUEST.id))
        await until(lambda: provider.asked)
        for state in states:
            session.inventory.observe(replace(GUEST, state=state))
        provider.may.set()
        kept = await asking
        assert kept.verdict.trusted
        assert [line.id for line in await session.attestations.history(GUEST.id)] == [kept.id]
        assert session.inventory.get(GUEST.id).trust is Trust.UNKNOWN
        session.inventory.observe(GUEST)
        assert session.inventory.get(GUEST.id).attested_at is None


async def test_who_listens_to_records_finds_them_in_the_fleet() -> None:
    async with session_of() as session:
        seen: list[float | None] = []
        session.attestations.changes.subscribe(
            lambda one: seen.append(session.inventory.get(one.instance_id).attested_at)
        )
        kept = await session.attestations.refresh(GUEST.id)
        assert seen == [kept.at]
