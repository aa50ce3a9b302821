"""Refusals of kernel and firmware: found in log lines, explained by command and state."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from confvm_gui.attestation.refusal import Refusal, explain, find_refusals
from confvm_gui.attestation.refusal.causes import CODE_CHECKS, COMMAND_CAUSES, ERRNO_CAUSES, YOUNGER_CODES
from confvm_gui.attestation.refusal.explanation import code_name, legal_states
from confvm_gui.attestation.refusal.log_line import command_of
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.status import Status


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (
            "qemu-system-x86_64: sev_launch_start: LAUNCH_START ret=1 fw_error=7 'Policy Failure'",
            Refusal(1, 7, CommandId.LAUNCH_START),
        ),
        (
            "qemu-system-x86_64: sev_snp_launch_finish: SNP_LAUNCH_FINISH ret=-5 fw_error=11 'Bad measurement'",
            Refusal(-5, 11, CommandId.SNP_LAUNCH_FINISH),
        ),
        ("sev_common_kvm_init: failed to initialize ret=-22 fw_error=0 ''", Refusal(-22, 0)),
        ("sev_launch_get_measure: failed ret=-14 fw_error=0", Refusal(-14, 0, CommandId.LAUNCH_MEASURE)),
        (
            "[   12.1] ccp 0000:22:00.1: SEV-SNP: failed to INIT rc -5, error 0x3",
            Refusal(-5, 3, CommandId.SNP_INIT_EX),
        ),
        ("ccp 0000:22:00.1: SEV: failed to INIT error 0x13, rc -5", Refusal(-5, 0x13, CommandId.INIT)),
        ("ccp 0000:22:00.1: SEV: DF_FLUSH failed 0xe, rc -5", Refusal(-5, 0xE, CommandId.DF_FLUSH)),
        (
            "ccp 0000:22:00.1: sev command 0xa0 failed (0x00000007)",
            Refusal(None, 7, CommandId.SNP_LAUNCH_START),
        ),
        (
            "ccp 0000:22:00.1: sev command 0x4 timed out, disabling PSP",
            Refusal(-110, None, CommandId.PLATFORM_STATUS),
        ),
        ("snp ioctl failed: ret -1, fw_error: 0x100000000", Refusal(-1, 1 << 32)),
        (
            '{"ret": -25, "fw_error": -1, "cmd": "KVM_SEV_SNP_LAUNCH_START"}',
            Refusal(-25, -1, CommandId.SNP_LAUNCH_START),
        ),
        ("KVM_SEV_LAUNCH_SECRET: ENODEV", Refusal(-19, None, CommandId.LAUNCH_SECRET)),
    ],
)
def test_numbers_are_found_in_a_log_line(line: str, refusal: Refusal) -> None:
    assert find_refusals(line) == (refusal,)
    assert find_refusals(f"booting\n{line}\r\n{line}\n") == (refusal,)


@pytest.mark.parametrize("line", ["", "hello world", "ret=0x", "the car returned 7 times", "BIND error -5"])
def test_other_lines_tell_nothing(line: str) -> None:
    assert find_refusals(line) == ()


@example("fw_error=99999999999999999999")
@example("fw_error=-99")
@example("sev command 0xffff failed (0xffffffff)")
@example("ret=5000 sev fw_error=1")
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                ["ret=", "fw_error", " ", ":", "-", "0x", "7", "99", "SEV", "ccp", "LAUNCH_START", "\n", "EIO"]
            )
        ).map("".join),
    )
)
def test_any_text_is_read_and_explained(text: str) -> None:
    for refusal in find_refusals(text):
        explanation = explain(refusal)
        assert explanation.summary.endswith(".")


@given(
    st.none() | st.integers(-5000, 5000),
    st.none() | st.integers(-2, 1 << 65),
    st.none() | st.sampled_from(list(CommandId)),
)
def test_any_numbers_are_explained_or_refused(ret: int | None, fw_error: int | None, command: CommandId | None) -> None:
    told = ret is not None or fw_error is not None
    if not told or abs(ret or 0) > 4095 or not -1 <= (fw_error or 0) < 1 << 64:
        with pytest.raises(InvalidInput):
            explain(Refusal(ret, fw_error, command))
        return
    explanation = explain(Refusal(ret, fw_error, command))
    assert explanation.summary[0].isupper()
    assert ".." not in explanation.summary


@pytest.mark.parametrize("code", sorted({*Status, *YOUNGER_CODES} - {0}))
def test_every_code_has_a_name_and_a_meaning_for_every_command(code: int) -> None:
    name = code_name(code)
    assert name
    for command in CommandId:
        explanation = explain(Refusal(-5, code, command))
        assert explanation.status_name == name
        assert command.name in explanation.summary
        assert explanation.checks or code > 0x2F
        if (command, code) in COMMAND_CAUSES:
            assert (
                explanation.checks[: len(COMMAND_CAUSES[command, code].checks)] == COMMAND_CAUSES[command, code].checks
            )


def test_every_check_is_one_sentence_without_a_stop() -> None:
    causes = [*COMMAND_CAUSES.values(), *ERRNO_CAUSES.values()]
    sentences = [check for cause in causes for check in (cause.meaning, *cause.checks)]
    sentences += [check for checks in CODE_CHECKS.values() for check in checks]
    assert [text for text in sentences if text.endswith(".") or not text[0].isalpha()] == []


def test_wrong_state_names_the_right_ones() -> None:
    secret = explain(Refusal(-5, Status.INVALID_GUEST_STATE, CommandId.LAUNCH_SECRET))
    assert secret.states == "LAUNCH_SECRET is legal while the guest is LSECRET."
    init = explain(Refusal(-5, Status.INVALID_PLATFORM_STATE, CommandId.PEK_GEN))
    assert init.states == "PEK_GEN is legal while the platform is INIT."
    assert legal_states(CommandId.DF_FLUSH).endswith("INIT or WORKING.")
    assert legal_states(CommandId.SNP_LAUNCH_START) == ""


def test_the_firmware_and_the_kernel_are_told_apart() -> None:
    assert "LAUNCH_START with POLICY_FAILURE (0x7)" in explain(Refusal(-1, 7, CommandId.LAUNCH_START)).summary
    not_called = explain(Refusal(-22, -1, CommandId.SNP_LAUNCH_START))
    assert not_called.status_name == "NO_FW_CALL"
    assert "not called" in not_called.summary
    assert not_called.checks
    assert explain(Refusal(-22, 0xFFFFFFFF)).status_name == "NO_FW_CALL"
    assert explain(Refusal(0, 0)).summary == "Nothing failed."
    assert "no public specification" in explain(Refusal(-5, 0x1E)).summary
    throttled = explain(Refusal(-1, 2 << 32))
    assert "busy" in throttled.summary
    assert "limits how often" in throttled.summary
    assert "EPERM" in throttled.errno_name


def test_what_is_missing_or_out_of_range_is_refused() -> None:
    for refusal, field in (
        (Refusal(), "fw-error"),
        (Refusal(ret=-99999), "ret"),
        (Refusal(fw_error=1 << 64), "fw-error"),
        (Refusal(fw_error=-2), "fw-error"),
    ):
        with pytest.raises(InvalidInput) as caught:
            explain(refusal)
        assert caught.value.field == field


def test_commands_are_known_by_all_their_names() -> None:
    for name in ("LAUNCH_START", "launch-start", "KVM_SEV_LAUNCH_START", "0x30", "48", "SEV_CMD_LAUNCH_START"):
        assert command_of(name) is CommandId.LAUNCH_START
    assert command_of("KVM_SEV_SNP_LAUNCH_FINISH") is CommandId.SNP_LAUNCH_FINISH
    assert command_of("nonsense") is None
