"""A quote of a guest's vTPM, made by tpm2-tools in the guest and handed over by its agent.

The attestation key is a primary key of the endorsement hierarchy: it follows from the TPM's seed alone, so it is the
same at every quote, and nothing is left behind in the TPM. swtpm's seed is made with the machine.

What it proves: the PCRs are those of a TPM with this key, and fresh, so nothing in the guest can alter what it booted
after the fact. Against the host it proves nothing, for the host runs the TPM; and nobody vouches that the key is this
machine's vTPM when it is seen for the first time.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.attestation import Evidence, EvidenceFormat, EvidencePart
from confvm_gui.domain.errors import GuestFault, Unsupported
from confvm_gui.providers.libvirt.guest_agent import Ended, run_in_guest

if TYPE_CHECKING:
    from confvm_gui.providers.libvirt.capabilities import Connection

QUOTE_SECONDS: Final = 60.0
_NOT_FOUND: Final = 127
_PCRS: Final = "sha256:" + ",".join(map(str, range(16)))
_SCRIPT: Final = f"""
set -e
umask 077
for tool in tpm2_createprimary tpm2_readpublic tpm2_quote; do
    command -v $tool >/dev/null || exit {_NOT_FOUND}
done
export TPM2TOOLS_TCTI=device:/dev/tpmrm0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
tpm2_createprimary -Q -C e -g sha256 -G ecc256:ecdsa-sha256:null -c key \\
    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda'
tpm2_readpublic -Q -c key -f tss -o ak-public
tpm2_quote -Q -c key -l {_PCRS} -g sha256 -q "$1" -m attest -s signature -o pcrs -F values
cat /sys/kernel/security/tpm0/binary_bios_measurements >event-log 2>/dev/null || rm -f event-log
for part in attest signature pcrs ak-public event-log; do
    [ ! -e $part ] || echo "$part $(base64 $part | tr -d '\\n')"
done
"""
_PARTS: Final = MappingProxyType(
    {
        "signature": EvidencePart.SIGNATURE,
        "pcrs": EvidencePart.PCRS,
        "ak-public": EvidencePart.AK_PUBLIC,
        "event-log": EvidencePart.EVENT_LOG,
    }
)
_OPTIONAL: Final = frozenset({"event-log"})


async def quote(connection: Connection, instance_id: str, nonce: bytes) -> Evidence:
    """A fresh quote over PCRs 0 to 15 with the boot's log where the guest's kernel shows it.

    Raises Unsupported with what the guest lacks, Transient while no agent answers, GuestFault, NotFound.
    """
    command = ("/bin/sh", "-c", _SCRIPT, "confvm-quote", nonce.hex())
    return evidence_of(await run_in_guest(connection, instance_id, command, seconds=QUOTE_SECONDS))


def evidence_of(ended: Ended) -> Evidence:
    """What the script printed. Raises Unsupported, GuestFault."""
    if ended.code == _NOT_FOUND:
        raise Unsupported("The guest has no tools to ask its TPM for a quote: install tpm2-tools in it")
    if ended.code:
        said = f": {ended.errors}" if ended.errors else ""
        raise GuestFault(f"The guest's TPM has given no quote{said}")
    found = _parts(ended.output)
    parts: Mapping[str, bytes] = {part: found[name] for name, part in _PARTS.items() if name in found}
    return Evidence(found["attest"], EvidenceFormat.TPM_QUOTE, MappingProxyType(parts))


def _parts(output: bytes) -> dict[str, bytes]:
    """Name → content. Raises GuestFault."""
    wanted = {"attest", *_PARTS}
    found: dict[str, bytes] = {}
    for line in output.splitlines():
        name, _, text = line.decode("ascii", "replace").partition(" ")
        if name not in wanted or name in found:
            raise GuestFault("The guest gives a quote with what does not belong to it")
        try:
            found[name] = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise GuestFault(f"The guest's quote has a part that is not base64: {name}") from None
    if missing := wanted - found.keys() - _OPTIONAL:
        raise GuestFault(f"The guest's quote lacks {', '.join(sorted(missing))}")
    return found
