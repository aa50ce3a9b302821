"""The emulated vTPM as our own verifier sees it, which shares no code with it; and what it keeps to itself."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.tpm.structures import TpmPublic, TpmQuote
from confvm_gui.domain.attestation import EvidenceFormat, EvidencePart
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.vtpm.authority import VtpmAuthority
from confvm_gui.engine.vtpm.event_log import EventType, MeasuredEvent
from confvm_gui.engine.vtpm.pcr_banks import Bank
from confvm_gui.engine.vtpm.virtual_tpm import MAX_NONCE, VirtualTpm
from confvm_gui.sev.expected_digest import LaunchMode
from tests.unit.attestation.evidence_files import errors, flip, warnings
from tests.unit.engine.vtpm.boots import AUTHORITY, BOOT, NONCE, judged, started


def test_trusted_by_whoever_believes_the_emulated_root() -> None:
    tpm = started(resets=3)
    verdict = judged(tpm.evidence(NONCE))
    assert verdict.trusted
    assert verdict.emulated
    assert warnings(verdict) == {"revocation-not-checked", "root-emulated", "measurement-not-expected"}
    claims = verdict.claim_values()
    assert bytes.fromhex(str(claims["tpm.firmware_version"])) == b"EMULATED"
    assert claims["tpm.reset_count"] == 3
    assert claims["ak.fingerprint"] == tpm.ak_fingerprint
    assert claims["firmware.version"] == "ConfVM emulated firmware 1"
    assert claims["secure_boot"] is True
    assert claims["secure_boot.authorities"] == 1
    assert claims["kernel_command_line"] == BOOT.command_line
    assert claims["efi_applications"] == (Bank.SHA256.digest(BOOT.image).hex(),)
    assert "gce.technology" not in claims
    for pcr, value in tpm.pcrs().items():
        assert claims[f"pcr.sha256.{pcr}"] == value.hex()


def test_refused_by_everybody_else() -> None:
    verdict = judged(started().evidence(NONCE), believe=False)
    assert not verdict.trusted
    assert errors(verdict) == {"root-not-trusted"}


def test_another_authority_is_not_this_one() -> None:
    other = VtpmAuthority(ChipSecret.generate())
    verdict = judged(VirtualTpm.power_on(BOOT, other, instance="0123456789abcdef").evidence(NONCE))
    assert errors(verdict) == {"root-not-trusted"}


def test_old_quote_is_refused() -> None:
    assert errors(judged(started().evidence(NONCE), nonce=NONCE[::-1])) == {"report-data-mismatch"}


@pytest.mark.parametrize("technology", [None, *LaunchMode])
def test_memory_encryption_is_stated(technology: LaunchMode | None) -> None:
    verdict = judged(started(technology=technology).evidence(NONCE))
    words = {LaunchMode.SEV: "sev", LaunchMode.SEV_ES: "sev-es", LaunchMode.SEV_SNP: "sev-snp", None: "none"}
    assert verdict.claim("confvm.technology") == words[technology]


def test_without_secure_boot_and_disk() -> None:
    verdict = judged(started(secure_boot=False, disk_header=b"", command_line="").evidence(NONCE))
    assert verdict.trusted
    assert verdict.claim("secure_boot") is False
    assert "secure-boot-off" in warnings(verdict)


@pytest.mark.parametrize("part", ["", EvidencePart.SIGNATURE, EvidencePart.PCRS])
def test_flipped_bit_is_not_trusted(part: str) -> None:
    evidence = started().evidence(NONCE)
    content = evidence.parts[part] if part else evidence.data
    for bit in range(0, 8 * len(content), 37):
        changed = flip(content, bit)
        try:
            if part:
                verdict = judged(replace(evidence, parts={**evidence.parts, part: changed}))
            else:
                verdict = judged(replace(evidence, data=changed))
        except InvalidInput:
            continue
        assert not verdict.trusted, bit


def test_both_banks() -> None:
    tpm = started()
    verdict = judged(tpm.quote(NONCE, banks=tuple(Bank)).as_evidence())
    assert verdict.trusted
    assert verdict.claim("pcr.sha384.4") == tpm.pcrs(Bank.SHA384)[4].hex()
    assert verdict.claim("pcr.sha256.4") == tpm.pcrs()[4].hex()


def test_same_boot_gives_the_same_pcrs_and_key() -> None:
    first, second = started(), started(resets=1)
    assert first.pcrs() == second.pcrs()
    assert first.event_log == second.event_log
    assert first.ak_fingerprint == second.ak_fingerprint != started("another").ak_fingerprint


def test_public_area_is_a_restricted_signing_key() -> None:
    quote = started().quote(NONCE)
    public = TpmPublic.parse(quote.ak_public)
    assert public.is_attestation_key
    assert public.curve == "secp256r1"
    assert recognise(quote.attest) is EvidenceFormat.TPM_QUOTE
    assert TpmQuote.parse(quote.attest).selections == ((HashAlgorithm.SHA256, tuple(range(16))),)


def test_certificates_say_that_they_are_emulated() -> None:
    chain = x509.load_pem_x509_certificates(started("an instance").quote(NONCE).ak_certificate)
    keys = AUTHORITY.secure_boot_keys
    databases = [
        x509.load_der_x509_certificate(der) for der in (keys.platform_key, keys.key_exchange_key, keys.database)
    ]
    assert len(chain) == 2
    for certificate in (*chain, *databases):
        assert "EMULATED" in certificate.subject.rfc4514_string()
        assert "EMULATED" in certificate.issuer.rfc4514_string()
    chain[0].verify_directly_issued_by(chain[1])
    assert "an instance" in chain[0].subject.rfc4514_string()
    assert AUTHORITY.trusted_root.emulated


def test_certificates_name_each_others_keys() -> None:
    leaf, root = x509.load_pem_x509_certificates(started("name that has no end " * 10).quote(NONCE).ak_certificate)
    named = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert named.key_identifier == own.key_identifier
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_clock_and_later_events() -> None:
    tpm = started()
    before = TpmQuote.parse(tpm.quote(NONCE).attest)
    tpm.extend(MeasuredEvent(15, EventType.EV_IPL, b"machine id\0"))
    after = TpmQuote.parse(tpm.quote(NONCE).attest)
    assert after.clock >= before.clock
    assert after.safe
    assert after.pcr_digest != before.pcr_digest
    assert judged(tpm.evidence(NONCE)).trusted


@pytest.mark.parametrize("pcrs", [(), (24,), (-1, 3)])
def test_pcrs_that_are_not_there(pcrs: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        started().quote(NONCE, pcrs)
    assert caught.value.field == "pcr"


def test_event_for_a_pcr_that_is_not_there_changes_nothing() -> None:
    tpm = started()
    before = tpm.event_log
    with pytest.raises(InvalidInput):
        tpm.extend(MeasuredEvent(24, EventType.EV_IPL, b"x"))
    assert tpm.event_log == before


@given(st.binary(max_size=80))
def test_nonces(nonce: bytes) -> None:
    tpm = _TPM
    if len(nonce) > MAX_NONCE:
        with pytest.raises(InvalidInput) as caught:
            tpm.quote(nonce)
        assert caught.value.field == "nonce"
    else:
        assert TpmQuote.parse(tpm.quote(nonce).attest).extra_data == nonce


@pytest.mark.parametrize("thing", [started(), AUTHORITY])
def test_keys_stay_inside(thing: object) -> None:
    assert "not shown" in repr(thing)
    with pytest.raises(TypeError):
        pickle.dumps(thing)
    with pytest.raises(TypeError):
        copy.copy(thing)
    with pytest.raises(TypeError):
        copy.deepcopy(thing)


_TPM = started()
