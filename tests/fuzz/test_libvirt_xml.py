"""Definitions from hosts: nothing but InvalidInput escapes, whatever they are."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.providers.libvirt.bounded_xml import MAX_DEPTH
from confvm_gui.providers.libvirt.domain_read import read_domain

SEED = """<domain type='kvm' id='3'><name>n</name><uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>
<metadata><c:instance xmlns:c='https://confvm.example/xmlns/libvirt/1' created_at='1.5' image='i'><c:label key='k'
value='v'/></c:instance></metadata><memory unit='GiB'>2</memory><vcpu>2</vcpu><os firmware='efi'><type machine='q35'>hvm
</type><loader type='pflash' secure='yes'>/f</loader><kernel>/k</kernel></os><devices><disk type='file' device='disk'>
<source file='/d'/><target dev='vda'/></disk><tpm model='tpm-crb'><backend type='emulator'/></tpm></devices>
<launchSecurity type='sev'><policy>0x0007</policy></launchSecurity></domain>"""


def attempt(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        read_domain(text)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    attempt(text)


@given(st.integers(0, 2**32))
def test_a_definition_with_changes(seed: int) -> None:
    dice = random.Random(seed)
    text = list(SEED)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(text))
        text[at] = dice.choice(("", "<", ">", "&", "'", "9" * 40, "-", "\0", "\ud800", text[dice.randrange(len(text))]))
    attempt("".join(text))


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><uuid>&a;</uuid></domain>",
        "<domain>" * (MAX_DEPTH + 1),
        "<network/>",
        "<domain/>",
        "<domain><a/>" + "<a/>" * 60_000 + "</domain>",
    ],
)
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_domain(text)
