"""Whether the firmware will take an ID block and its authentication information, and what their owner should know.

The checks that SNP_LAUNCH_FINISH makes come first, in its order (56860, SNP_LAUNCH_FINISH): digest, policy, signatures.
Behind them stands what it lets pass and an owner should know.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.ecc_format import decode_public_key
from confvm_gui.sev.id_block import ECDSA_P384_SHA384, IdAuth, IdBlock
from confvm_gui.sev.snp_policy import SnpPolicy

_WEAKENING = ("DEBUG", "MIGRATE_MA", "CXL_ALLOW")


@dataclass(frozen=True, slots=True)
class IdBlockFinding:
    """Something that is not as it should be."""

    code: str
    """For programs: `digest-differs`, `policy-differs`, `policy-reserved-bits`, `id-key-curve` …"""
    refused: bool
    """Whether the firmware refuses the launch for it; otherwise it is a warning."""
    text: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class LaunchTerms:
    """How the guest is to be launched, as far as it is known; None: not told, so not compared."""

    digest: bytes | None = None
    """48 bytes, from `confvm measure`."""
    policy: SnpPolicy | None = None
    author_key_enabled: bool | None = None
    """None: as the authentication information has an author key or not."""


def check_identity(block: IdBlock, auth: IdAuth, terms: LaunchTerms) -> tuple[IdBlockFinding, ...]:
    """All findings about `block` and `auth`, launched under `terms`; never raises."""
    found = [*_digest_findings(block, terms), *_policy_findings(block, terms)]
    found += _key_findings("ID", "id-key", auth.id_key_algorithm, auth.id_key)
    if not auth.signs(block):
        found.append(
            IdBlockFinding(
                "id-block-signature", True, "The ID key did not sign this ID block; are the two files of one run?"
            )
        )
    found += _author_findings(auth, terms)
    return tuple(found)


def policy_conflicts(policy: SnpPolicy) -> tuple[IdBlockFinding, ...]:
    """What is wrong with the policy alone, whoever signs it."""
    found = [
        IdBlockFinding("policy-reserved-bits", True, f"The policy {policy.value:#x} is none: {violation}")
        for violation in policy.violations()
    ]
    found += [
        IdBlockFinding("policy-weak", False, f"The policy allows {clause}")
        for name, clause in zip(
            _WEAKENING,
            (
                "debugging: the host can read and change the guest's memory",
                "a migration agent, which can move the guest and see its state",
                "CXL devices as memory of the guest",
            ),
            strict=True,
        )
        if name in policy.names()
    ]
    return tuple(found)


def _digest_findings(block: IdBlock, terms: LaunchTerms) -> list[IdBlockFinding]:
    if not any(block.launch_digest):
        return [IdBlockFinding("digest-missing", True, "The ID block's launch digest is zero: no launch has that")]
    if terms.digest is None or terms.digest == block.launch_digest:
        return []
    return [
        IdBlockFinding(
            "digest-differs",
            True,
            f"The ID block is for launch digest {block.launch_digest.hex()}, but this launch has {terms.digest.hex()}; "
            "`confvm solve` finds what differs",
        )
    ]


def _policy_findings(block: IdBlock, terms: LaunchTerms) -> list[IdBlockFinding]:
    found = list(policy_conflicts(block.policy))
    if terms.policy is not None and terms.policy != block.policy:
        only_block = sorted(set(block.policy.names()) - set(terms.policy.names()))
        only_launch = sorted(set(terms.policy.names()) - set(block.policy.names()))
        differences = [f"{name} in the ID block only" for name in only_block]
        differences += [f"{name} in the launch only" for name in only_launch]
        detail = f" ({', '.join(differences)})" if differences else ""
        found.append(
            IdBlockFinding(
                "policy-differs",
                True,
                f"The ID block is for policy {block.policy.value:#x}, but the launch has {terms.policy.value:#x}"
                f"{detail}",
            )
        )
    return found


def _key_findings(name: str, code: str, algorithm: int, field: bytes) -> list[IdBlockFinding]:
    if algorithm != ECDSA_P384_SHA384:
        text = (
            f"The {name} key has algorithm {algorithm}; the firmware takes {ECDSA_P384_SHA384} (ECDSA P-384, SHA-384)"
        )
        return [IdBlockFinding(f"{code}-algorithm", True, text)]
    try:
        key = decode_public_key(field)
    except InvalidInput as error:
        return [IdBlockFinding(f"{code}-curve", True, f"The {name} key is none: {error.message}")]
    if not isinstance(key.curve, ec.SECP384R1):
        text = f"The {name} key is on {key.curve.name}; the firmware takes P-384"
        return [IdBlockFinding(f"{code}-curve", True, text)]
    return []


def _author_findings(auth: IdAuth, terms: LaunchTerms) -> list[IdBlockFinding]:
    if not auth.has_author_key:
        if terms.author_key_enabled:
            text = "The launch has author-key-enabled, but there is no author key"
            return [IdBlockFinding("author-key-missing", True, text)]
        return [
            IdBlockFinding(
                "author-key-missing", False, "There is no author key; old firmware refuses that with INVALID_PARAM"
            )
        ]
    found = _key_findings("author", "author-key", auth.author_key_algorithm, auth.author_key)
    if terms.author_key_enabled is False:
        text = "The launch has no author-key-enabled, so the author key is neither checked nor reported"
        found.append(IdBlockFinding("author-key-unused", False, text))
    elif not auth.certifies_id_key():
        text = "The author key did not sign the ID key"
        found.append(IdBlockFinding("id-key-signature", True, text))
    if auth.author_key == auth.id_key:
        text = "ID key and author key are the same: losing the one loses both"
        found.append(IdBlockFinding("keys-equal", False, text))
    return found
