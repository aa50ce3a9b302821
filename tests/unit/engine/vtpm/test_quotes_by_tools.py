"""Quotes and event logs of the emulated vTPM, looked at by tpm2-tools."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from confvm_gui.engine.vtpm.event_log import EventType, MeasuredEvent
from confvm_gui.engine.vtpm.pcr_banks import Bank
from confvm_gui.engine.vtpm.virtual_tpm import DEFAULT_PCRS, TpmQuote
from confvm_gui.sev.expected_digest import LaunchMode
from tests.support.tpm2_tools import QuoteFiles, check_quote, replay_log
from tests.unit.attestation.evidence_files import flip
from tests.unit.engine.vtpm.boots import NONCE, started

USUAL = {"sha256": DEFAULT_PCRS}


def files(quote: TpmQuote, selection: Mapping[str, Sequence[int]] = USUAL) -> QuoteFiles:
    return QuoteFiles(quote.attest, quote.signature, quote.ak_public, selection, quote.pcrs)


@pytest.mark.parametrize("technology", [None, *LaunchMode])
@pytest.mark.parametrize("secure_boot", [True, False])
def test_quote_is_accepted_with_its_log(tmp_path: Path, technology: LaunchMode | None, secure_boot: bool) -> None:
    quote = started(technology=technology, secure_boot=secure_boot).quote(NONCE)
    assert check_quote(tmp_path, files(quote), NONCE, event_log=quote.event_log) == (True, "")


@pytest.mark.parametrize(
    ("pcrs", "banks"),
    [
        ((7,), (Bank.SHA256,)),
        ((4, 0, 8), (Bank.SHA384,)),
        (range(24), tuple(Bank)),
        ((23, 10), (Bank.SHA384, Bank.SHA256)),
    ],
)
def test_any_pcrs_and_banks(tmp_path: Path, pcrs: Sequence[int], banks: Sequence[Bank]) -> None:
    quote = started().quote(NONCE, pcrs, banks)
    selection = {bank.name.lower(): sorted(pcrs) for bank in banks}
    assert check_quote(tmp_path, files(quote, selection), NONCE).accepted


def test_quote_after_a_guest_measured_something(tmp_path: Path) -> None:
    tpm = started()
    tpm.extend(MeasuredEvent(14, EventType.EV_IPL, b"policy\0", b"the policy"))
    quote = tpm.quote(NONCE)
    assert check_quote(tmp_path, files(quote), NONCE, event_log=quote.event_log).accepted


def test_another_nonce_is_refused(tmp_path: Path) -> None:
    outcome = check_quote(tmp_path, files(started().quote(NONCE)), NONCE[::-1])
    assert not outcome.accepted
    assert "nonce" in outcome.message


def test_other_pcrs_are_refused(tmp_path: Path) -> None:
    quote, other = started().quote(NONCE), started(image=b"another image").quote(NONCE)
    outcome = check_quote(tmp_path, files(quote)._replace(pcrs=other.pcrs), NONCE)
    assert not outcome.accepted
    assert "PCR" in outcome.message


def test_another_log_is_refused(tmp_path: Path) -> None:
    quote, other = started().quote(NONCE), started(command_line="another")
    assert not check_quote(tmp_path, files(quote), NONCE, event_log=other.event_log).accepted


def test_another_instance_has_another_key(tmp_path: Path) -> None:
    quote, other = started().quote(NONCE), started("another instance").quote(NONCE)
    assert not check_quote(tmp_path, files(quote)._replace(public=other.ak_public), NONCE).accepted


@pytest.mark.parametrize("part", ["attest", "signature", "pcrs"])
def test_flipped_bits_are_refused(tmp_path: Path, part: str) -> None:
    given = files(started().quote(NONCE))
    content: bytes = getattr(given, part)
    # A process for each; the seed is fixed so that a failure can be looked at again.
    for bit in random.Random(part).sample(range(8 * len(content)), 60):
        changed = flip(content, bit)
        match part:
            case "attest":
                asked = given._replace(attest=changed)
            case "signature":
                asked = given._replace(signature=changed)
            case _:
                asked = given._replace(pcrs=changed)
        assert not check_quote(tmp_path, asked, NONCE).accepted, bit


def test_log_replays_to_the_same_pcrs(tmp_path: Path) -> None:
    tpm = started()
    outcome, _, pcrs = replay_log(tmp_path, tpm.event_log)
    assert outcome == (True, "")
    assert set(pcrs) == {"sha256", "sha384"}
    for bank in Bank:
        held = tpm.pcrs(bank)
        replayed = pcrs[bank.name.lower()]
        assert set(replayed) == set(range(9))
        assert replayed == {pcr: held[pcr] for pcr in replayed}


def test_log_is_read_by_its_names(tmp_path: Path) -> None:
    _, text, _ = replay_log(tmp_path, started().event_log)
    for said in (
        "EV_S_CRTM_VERSION",
        "EV_NONHOST_INFO",
        "UnicodeName: SecureBoot",
        "UnicodeName: PK",
        "UnicodeName: KEK",
        "UnicodeName: dbx",
        "ImageLocationInMemory: 0x100000",
        "kernel_cmdline: label=grade rounds=40",
        "Exit Boot Services Returned with Success",
    ):
        assert said in text
