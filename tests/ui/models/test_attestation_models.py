"""Claims, verdicts, endorsements and freshness as the window shows them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Protocol

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QPersistentModelIndex
from PySide6.QtWidgets import QApplication

from confvm_gui.attestation.codes import SENTENCES
from confvm_gui.domain.attestation import Claim, EndorsementKind, EvidenceFormat, TrustLink
from confvm_gui.domain.instance import Trust
from confvm_gui.domain.ports.endorsement_source import CacheEntry, EntryState
from confvm_gui.ui.models.attestation_words import format_word
from confvm_gui.ui.models.claims_model import ClaimsModel
from confvm_gui.ui.models.endorsements_model import EndorsementsModel
from confvm_gui.ui.models.finding_sentences import finding_sentence, translated_codes
from confvm_gui.ui.models.freshness import ago, is_stale, trust_cell, trust_tool_tip
from confvm_gui.ui.models.verdicts_model import VerdictsModel
from confvm_gui.ui.panels.attestation.chain_layout import arrange, parents_of
from confvm_gui.ui.panels.attestation.digest_compare import differing, is_hex, nearest
from tests.support.fake_attestations import BAD, GOOD, claims, make_record, summary
from tests.support.fake_provider import make_instance


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


def test_claims_are_grouped_and_filtered(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    model = ClaimsModel()
    qtmodeltester.check(model)
    model.show_claims(claims(extra=300))
    qtmodeltester.check(model)
    headings = [model.index(row, 0).data() for row in range(model.rowCount()) if model.claim(row) is None]
    assert headings == ["What it says of itself", "Policy", "TCB: reported", "event"]
    model.set_filter("POLICY 0x3")
    assert [model.claim(row) for row in range(model.rowCount())] == [
        None,
        Claim("policy", "0x30000", "SNP report 0x008"),
    ]
    model.set_filter("no such claim")
    assert model.rowCount() == 0
    qtmodeltester.check(model)


def test_history_keeps_its_rows_when_a_newer_verdict_comes(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    lines = [summary(make_record("a", number=number, age=100.0 - number)) for number in range(5)]
    lines.reverse()
    model = VerdictsModel()
    model.show_history(lines[1:])
    qtmodeltester.check(model)
    held = QPersistentModelIndex(model.index(0, 0))
    model.show_history(lines)
    assert held.row() == 1
    model.show_history([*lines[:3]])
    assert model.rowCount() == 3
    assert held.row() == 1
    model.show_history([])
    assert model.rowCount() == 0
    qtmodeltester.check(model)


def test_endorsements(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    now = time.time()
    entries = [
        CacheEntry(f"https://host/{state.value}", EndorsementKind.CRL, state, now, now + 60, 0) for state in EntryState
    ]
    model = EndorsementsModel()
    model.show_entries(entries)
    qtmodeltester.check(model)
    assert [model.index(row, 0).data() for row in range(4)] == ["Fresh", "Stale", "Not published", "Waiting"]
    model.show_entries([replace(entry, size=2048) for entry in entries])
    assert model.index(0, 3).data() == "2.0 KiB"
    model.show_entries(())
    assert model.rowCount() == 0


def test_every_format_and_every_code_has_its_words(qapp: QApplication) -> None:
    assert all(format_word(form) for form in EvidenceFormat)
    assert {code: finding_sentence(code) for code in translated_codes()} == {
        code.value: sentence for code, sentence in SENTENCES.items()
    }
    assert finding_sentence("a-code-of-tomorrow") == "a-code-of-tomorrow"


def test_how_long_ago(qapp: QApplication) -> None:
    assert ago(100.0, 104.0) == "just now"
    assert ago(200.0, 100.0) == "just now"
    assert ago(0.0, 180.0).startswith("3 minute")
    assert ago(0.0, 5 * 86400.0).startswith("5 day")


def test_the_trust_column_tells_age_and_staleness(qapp: QApplication) -> None:
    never = make_instance("a", trust=Trust.UNKNOWN)
    assert trust_cell(never) == "Unknown"
    assert "No evidence was verified" in trust_tool_tip(never)
    fresh = replace(never, trust=Trust.TRUSTED, trust_by="SNP report, emulated root", attested_at=1000.0)
    assert trust_cell(fresh, 600.0, 1180.0) == "Trusted (emulated) · 3 min"
    assert trust_cell(replace(fresh, emulated=False), 600.0, 1180.0) == "Trusted · 3 min"
    assert not is_stale(fresh, 600.0, 1180.0)
    assert trust_cell(fresh, 600.0, 3000.0) == "Trusted (emulated) · 33 min, stale"
    tip = trust_tool_tip(fresh, 600.0, 3000.0)
    assert "By: SNP report, emulated root" in tip
    assert "Stale" in tip
    assert "Emulated" in tip
    assert trust_cell(replace(fresh, trust=Trust.NOT_APPLICABLE)) == "–"


def test_digests_are_compared_with_the_nearest_accepted_one() -> None:
    assert nearest(f"{'00' * 48} or {GOOD}", BAD) == GOOD
    assert nearest("SMT clear", "0x30000") == ""
    assert not is_hex("1234")
    assert differing("aabb", "aacc00") == [1, 2]


_NAMES = st.sampled_from(("a", "b", "c", "d", ""))


@given(st.lists(st.builds(TrustLink, _NAMES, _NAMES, st.booleans()), max_size=9), st.integers(120, 2000))
def test_any_chain_can_be_drawn(links: list[TrustLink], width: int) -> None:
    parents = parents_of(links)
    for at in range(len(links)):
        steps, walk = 0, parents[at]
        while walk is not None:
            steps, walk = steps + 1, parents[walk]
            assert steps <= len(links)
    layout = arrange(links, width)
    assert len(layout.boxes) == len(links)
    for first in range(len(links)):
        assert layout.boxes[first].bottom() <= layout.height
        for second in range(first):
            assert not layout.boxes[first].intersects(layout.boxes[second])
