"""`confvm id-block`: sign what is to be launched (`build`), and look at such files (`check`), for SEV-SNP guests.

Exit code 0: built, or nothing stands against the launch, 1: the firmware would refuse it, 2: bad input. Keys are read
from files and never written, printed or logged.
"""

from __future__ import annotations

import argparse
import binascii
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from confvm_gui.attestation.id_block_check import IdBlockFinding
    from confvm_gui.sev.id_block import IdAuth, IdBlock

_LARGEST_KEY_FILE: Final = 64 << 10
_LARGEST_BLOB: Final = 16 << 10
"""Bytes: 4096 in base64, with line feeds, and room to say that it is too large."""


def add_id_block_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `id-block` and its options to the command line; `parents` give `--json`."""
    from confvm_gui.app.measure_command import add_launch_options

    parser = commands.add_parser("id-block", help="ID block of an SEV-SNP guest: sign what is to be launched")
    actions = parser.add_subparsers(
        dest="id_block_command", required=True, metavar="COMMAND", parser_class=type(parser)
    )
    build = actions.add_parser("build", parents=list(parents), help="make id-block and id-auth for QEMU and libvirt")
    build.add_argument(
        "--policy", required=True, metavar="POLICY", help="guest policy, as 0x30000 or SMT|SINGLE_SOCKET"
    )
    build.add_argument(
        "--launch-policy", metavar="POLICY", help="policy of the launch, to see that the two are the same"
    )
    build.add_argument("--family-id", default="", metavar="ID", help="16 bytes in hexadecimal, or a UUID (default: 0)")
    build.add_argument("--image-id", default="", metavar="ID", help="16 bytes in hexadecimal, or a UUID (default: 0)")
    build.add_argument("--guest-svn", type=int, default=0, metavar="N", help="security version (default: 0)")
    build.add_argument("--id-key", type=Path, required=True, metavar="FILE", help="private key on P-384, PEM")
    build.add_argument(
        "--author-key", type=Path, metavar="FILE", help="private key on P-384 that signs the ID key, PEM"
    )
    build.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write id-block and id-auth there, as .bin and as .base64"
    )
    check = actions.add_parser("check", parents=list(parents), help="would the firmware take these files?")
    check.add_argument("--id-block", type=Path, required=True, metavar="FILE", help="binary or base64")
    check.add_argument("--id-auth", type=Path, required=True, metavar="FILE", help="binary or base64")
    check.add_argument("--policy", metavar="POLICY", help="policy of the launch")
    check.add_argument(
        "--author-key-enabled", action=argparse.BooleanOptionalAction, help="what QEMU's author-key-enabled is"
    )
    for action in (build, check):
        action.add_argument("--measurement", metavar="HEX", help="launch digest, 48 bytes")
        launch = action.add_argument_group("in place of --measurement, as for `confvm measure --mode snp`")
        launch.add_argument("--ovmf", metavar="PATH", help="firmware image")
        add_launch_options(launch)
        action.set_defaults(mode="snp")


def run_id_block(options: argparse.Namespace, out: TextIO) -> int:
    """See the module. Raises InvalidInput naming the option."""
    return _build(options, out) if options.id_block_command == "build" else _check(options, out)


def _build(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.attestation.id_block_check import LaunchTerms, check_identity
    from confvm_gui.sev.id_block import IdAuth, IdBlock
    from confvm_gui.sev.snp_policy import SnpPolicy

    digest = _digest(options)
    if digest is None:
        raise InvalidInput("measurement", "Say what is launched: --measurement, or --ovmf and the options of a launch")
    policy = SnpPolicy.parse(options.policy)
    launch_policy = policy if options.launch_policy is None else SnpPolicy.parse(options.launch_policy)
    if not 0 <= options.guest_svn < 1 << 32:
        raise InvalidInput("guest-svn", f"A guest's SVN has 32 bits; {options.guest_svn} does not fit")
    block = IdBlock(
        digest,
        policy,
        _identifier("family-id", options.family_id),
        _identifier("image-id", options.image_id),
        options.guest_svn,
    )
    author_key = None if options.author_key is None else _private_key("author-key", options.author_key)
    auth = IdAuth.sign(block, _private_key("id-key", options.id_key), author_key)
    findings = check_identity(block, auth, LaunchTerms(digest, launch_policy))
    refused = [finding for finding in findings if finding.refused]
    if refused:
        raise InvalidInput("launch-policy" if launch_policy != policy else "measurement", refused[0].text)
    if options.out is not None:
        _write(options.out, block, auth)
    _tell(options, out, block, auth, findings)
    return 0


def _check(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.attestation.id_block_check import LaunchTerms, check_identity
    from confvm_gui.sev.id_block import ID_AUTH_SIZE, ID_BLOCK_SIZE, IdAuth, IdBlock
    from confvm_gui.sev.snp_policy import SnpPolicy

    block = IdBlock.parse(_blob("id-block", options.id_block, ID_BLOCK_SIZE))
    auth = IdAuth.parse(_blob("id-auth", options.id_auth, ID_AUTH_SIZE))
    policy = None if options.policy is None else SnpPolicy.parse(options.policy)
    findings = check_identity(block, auth, LaunchTerms(_digest(options), policy, options.author_key_enabled))
    _tell(options, out, block, auth, findings)
    return 1 if any(finding.refused for finding in findings) else 0


def _tell(
    options: argparse.Namespace, out: TextIO, block: IdBlock, auth: IdAuth, findings: Sequence[IdBlockFinding]
) -> None:
    author = auth.author_key_digest.hex() if auth.has_author_key else ""
    encoded = {"id_block": _base64(block.to_bytes()), "id_auth": _base64(auth.to_bytes())}
    if options.json:
        answer: dict[str, object] = {
            "launch_digest": block.launch_digest.hex(),
            "policy": f"{block.policy.value:#x}",
            "family_id": block.family_id.hex(),
            "image_id": block.image_id.hex(),
            "guest_svn": block.guest_svn,
            "id_key_digest": auth.id_key_digest.hex(),
            "author_key_digest": author,
            **encoded,
            "findings": [{"code": entry.code, "refused": entry.refused, "text": entry.text} for entry in findings],
        }
        json.dump(answer, out, indent=2, ensure_ascii=False)
        out.write("\n")
        return
    out.write(f"launch digest      {block.launch_digest.hex()}\npolicy             {block.policy}\n")
    out.write(f"family id          {block.family_id.hex()}\nimage id           {block.image_id.hex()}\n")
    out.write(f"guest SVN          {block.guest_svn}\nID key digest      {auth.id_key_digest.hex()}\n")
    out.write(f"author key digest  {author or '(no author key)'}\n")
    if options.id_block_command == "build":
        enabled = "true" if author else "false"
        out.write(
            "QEMU, in -object sev-snp-guest; libvirt, as <idBlock>, <idAuth> and authorKey of <launchSecurity>:\n"
        )
        out.write(f"policy={block.policy.value:#x},author-key-enabled={enabled},id-block={encoded['id_block']},")
        out.write(f"id-auth={encoded['id_auth']}\n")
    for entry in findings:
        out.write(f"{'REFUSED' if entry.refused else 'warning'}: {entry.text}\n")


def _digest(options: argparse.Namespace) -> bytes | None:
    """The digest of the launch, given or computed; None if neither is asked for."""
    if options.measurement is not None:
        if options.ovmf is not None:
            raise InvalidInput("measurement", "Give either --measurement or --ovmf and the options of a launch")
        digest = _hex("measurement", options.measurement)
        if len(digest) != 48:
            raise InvalidInput("measurement", f"An SNP launch digest has 48 bytes, not {len(digest)}")
        return digest
    if options.ovmf is None:
        return None
    from confvm_gui.app.measure_command import launch_inputs
    from confvm_gui.sev.expected_digest import expected_launch_digest

    return expected_launch_digest(launch_inputs(options))


def _identifier(option: str, text: str) -> bytes:
    data = _hex(option, text.replace("-", ""))
    if len(data) not in (0, 16):
        raise InvalidInput(option, f"A family or image id has 16 bytes, 32 hexadecimal digits, not {len(data)} bytes")
    return data.ljust(16, b"\x00")


def _hex(option: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise InvalidInput(option, "Give the bytes as hexadecimal digits, two for each byte") from None


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _private_key(option: str, path: Path) -> ec.EllipticCurvePrivateKey:
    """A key from a PEM file. Nothing of its content gets into a message."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data, mode = _content(option, path, _LARGEST_KEY_FILE)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        sys.stderr.write(f"confvm: warning: {path} can be read by others; chmod 600 it\n")
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        raise InvalidInput(
            option, f"{path} is encrypted; decrypt it for this command, such as with openssl pkey -in {path}"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(option, f"{path} holds no private key in PEM that can be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise InvalidInput(option, f"{path} is no key on P-384; make one with openssl ecparam -genkey -name secp384r1")
    return key


def _blob(option: str, path: Path, size: int) -> bytes:
    """A file of `size` bytes, or one with those in base64."""
    data, _ = _content(option, path, _LARGEST_BLOB)
    if len(data) == size:
        return data
    try:
        decoded = binascii.a2b_base64(b"".join(data.split()), strict_mode=True)
    except ValueError:
        raise InvalidInput(option, f"{path} is neither {size} bytes nor base64") from None
    if len(decoded) != size:
        raise InvalidInput(option, f"{path} holds {len(decoded)} bytes in base64, not {size}")
    return decoded


def _content(option: str, path: Path, most: int) -> tuple[bytes, int]:
    """Content and mode of a file."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(option, f"{path} cannot be read: {reason}") from None
    if len(data) > most:
        raise InvalidInput(option, f"{path} has more than {most >> 10} KiB; it is something else")
    return data, mode


def _write(folder: Path, block: IdBlock, auth: IdAuth) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in (("id-block", block.to_bytes()), ("id-auth", auth.to_bytes())):
            (folder / f"{name}.bin").write_bytes(data)
            (folder / f"{name}.base64").write_text(_base64(data) + "\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput("out", f"{folder} cannot be written: {reason}") from None
