"""Packs of rules as TOML files: read with limits, written in one canonical form, which is what is signed.

    confvm_pack = 1
    name = "house"            # lower-case words with hyphens
    version = 3
    title = "House rules"
    description = "…"
    source = "…"              # optional: what the pack is made after

    [[rules]]
    id = "confidential-required"
    title = "Memory is encrypted while it is in use"
    expression = "vm.confidential"
    field = "technology"      # of the launch request
    applies = "both"          # optional: request, instance or both
    message = "…"             # optional
    source = "…"              # optional
    fix = { field = "technology", choices = ["sev", "sev-snp"] }     # optional

A signed pack has a line `signature` (Ed25519, hex) over all the rest. Everything that is wrong with a file is
InvalidInput("pack", one sentence).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.policy import Applies, Fix, Pack, Rule

FORMAT_KEY: Final = "confvm_pack"
FORMAT_VERSION: Final = 1
MAX_BYTES: Final = 128 * 1024
MAX_RULES: Final = 100
MAX_TEXT: Final = 1000
MAX_CHOICES: Final = 64
MAX_VERSION: Final = 1_000_000
SIGNATURE_SIZE: Final = 64

FIELDS: Final = frozenset(
    {
        *("name", "provider", "cloud", "region", "zone", "machine_type", "image", "technology", "secure_boot", "vtpm"),
        *("integrity_monitoring", "host_maintenance", "min_cpu_platform", "disk_key", "attest", "labels"),
    }
)
"""Fields of a request that a rule can be about; `labels.KEY` beside them."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,31}(-[a-z0-9]{1,32}){0,7}")
_LABEL_FIELD: Final = re.compile(r"labels\.[a-z][-_a-z0-9]{0,62}")
_SIGNED: Final = b"confvm rule pack 1\n"
"""Before the text that is signed, so that a signature holds for nothing else."""


def parse_pack(text: str, *, shipped: bool = False) -> Pack:
    """Read a pack; its expressions are not compiled yet. Raises InvalidInput("pack", …)."""
    import tomllib  # the window starts without it

    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _problem(f"it is larger than {MAX_BYTES // 1024} KiB")
    try:
        values = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; so is what int() says of 5,000 digits
        raise _problem(f"it is not TOML: {str(error)[:200]}") from None
    except RecursionError:
        raise _problem("it is nested too deeply") from None
    file = _Table(values, "")
    version = file.whole(FORMAT_KEY)
    if version != FORMAT_VERSION:
        raise _problem(f"it is of format {version}; this console reads {FORMAT_VERSION}")
    rules = file.tables("rules")
    pack = Pack(
        name=file.name("name"),
        version=file.whole("version"),
        title=file.text("title"),
        description=file.text("description", ""),
        rules=tuple(_rule(table) for table in rules),
        source=file.text("source", ""),
        shipped=shipped,
        signature=file.signature("signature"),
    )
    file.done()
    seen: set[str] = set()
    for rule in pack.rules:
        if rule.id in seen:
            raise _problem(f"two of its rules are called {rule.id}")
        seen.add(rule.id)
    return pack


def dump_pack(pack: Pack) -> str:
    """The canonical text of `pack`: equal packs, equal text."""
    lines = [f"{FORMAT_KEY} = {FORMAT_VERSION}", f"name = {_toml(pack.name)}", f"version = {pack.version}"]
    lines += [f"title = {_toml(pack.title)}", f"description = {_toml(pack.description)}"]
    lines += [f"source = {_toml(pack.source)}"]
    if pack.signature:
        lines.append(f'signature = "{pack.signature.hex()}"')
    for rule in pack.rules:
        lines += ["", "[[rules]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in _texts(rule).items()]
        if rule.fix is not None:
            choices = ", ".join(_toml(choice) for choice in rule.fix.choices)
            lines.append(f"fix = {{ field = {_toml(rule.fix.field)}, choices = [{choices}] }}")
    return "\n".join(lines) + "\n"


def next_version(pack: Pack, others: Iterable[Pack]) -> Pack:
    """`pack` as the version after all of its name, not signed yet."""
    newest = max([pack.version, *(one.version for one in others if one.name == pack.name)])
    return replace(pack, version=newest + 1, shipped=False, signature=b"")


def signed_message(pack: Pack) -> bytes:
    """What the signature of `pack` is over: its canonical text without the signature."""
    unsigned = Pack(pack.name, pack.version, pack.title, pack.description, pack.rules, pack.source)
    return _SIGNED + dump_pack(unsigned).encode("utf-8")


def signature_holds(pack: Pack, public_key: bytes) -> bool:
    """Whether the signature of `pack` is by `public_key` (Ed25519, 32 bytes)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(pack.signature, signed_message(pack))
    except (InvalidSignature, ValueError):
        return False
    return True


def _problem(message: str) -> InvalidInput:
    return InvalidInput("pack", f"The pack cannot be read: {message}")


def _rule(table: _Table) -> Rule:
    fix: Fix | None = None
    if table.has("fix"):
        given = table.table("fix")
        fix = Fix(given.field("field"), given.texts("choices"))
        given.done()
    applies = table.text("applies", Applies.BOTH.value)
    if applies not in [known.value for known in Applies]:
        raise table.error("applies must be request, instance or both")
    rule = Rule(
        id=table.name("id"),
        title=table.text("title"),
        expression=table.text("expression"),
        field=table.field("field"),
        applies=Applies(applies),
        message=table.text("message", ""),
        fix=fix,
        source=table.text("source", ""),
    )
    table.done()
    return rule


def _texts(rule: Rule) -> dict[str, str]:
    found = {
        "id": rule.id,
        "title": rule.title,
        "expression": rule.expression,
        "field": rule.field,
        "applies": rule.applies.value,
    }
    return found | {key: value for key, value in (("message", rule.message), ("source", rule.source)) if value}


def _toml(text: str) -> str:
    # JSON's string escapes are TOML's, but for DEL, which TOML forbids bare.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


class _Table:
    """One table of a pack, read key by key."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values = values
        self._where = where
        self._read: set[str] = set()

    def error(self, message: str) -> InvalidInput:
        return _problem(f"{self._where}{message}")

    def has(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.error(f"{key} must be a text in quotes")
        return self._checked(key, value)

    def name(self, key: str) -> str:
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.error(f"{key} must be lower-case words with hyphens, not {value[:40]!r}")
        return value

    def field(self, key: str) -> str:
        value = self.text(key)
        if value not in FIELDS and not _LABEL_FIELD.fullmatch(value):
            raise self.error(f"{key}: a launch request has no field {value[:40]!r}")
        return value

    def whole(self, key: str) -> int:
        value = self._take(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_VERSION:
            raise self.error(f"{key} must be a whole number from 1 to {MAX_VERSION:,}")
        return value

    def signature(self, key: str) -> bytes:
        text = self.text(key, "")
        try:
            found = bytes.fromhex(text)
        except ValueError:
            raise self.error(f"{key} must be hexadecimal") from None
        if found and len(found) != SIGNATURE_SIZE:
            raise self.error(f"{key} must have {SIGNATURE_SIZE} bytes")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._take(key, None)
        if not isinstance(value, list) or len(value) > MAX_CHOICES:
            raise self.error(f"{key} must be a list of at most {MAX_CHOICES} texts")
        return tuple(self._checked(key, item) for item in value)

    def table(self, key: str) -> _Table:
        return self._table(key, self._take(key, None), f"{self._where}{key}: ")

    def tables(self, key: str) -> list[_Table]:
        value = self._take(key, None)
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_RULES:
            raise self.error(f"it must have 1 to {MAX_RULES} rules, each under [[{key}]]")
        return [self._table(key, item, f"rule {number}: ") for number, item in enumerate(value, start=1)]

    def done(self) -> None:
        """Refuse what was not read: a misspelt key must not pass in silence."""
        left = [key for key in self._values if key not in self._read]
        if left:
            raise self.error(f"there is no key {left[0][:40]!r}")

    def _table(self, key: str, value: object, where: str) -> _Table:
        if not isinstance(value, dict):
            raise self.error(f"{key} must be a table")
        return _Table(value, where)

    def _take(self, key: str, default: object) -> object:
        self._read.add(key)
        if key not in self._values and default is None:
            raise self.error(f"{key} is missing")
        return self._values.get(key, default)

    def _checked(self, key: str, value: object) -> str:
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise self.error(f"{key} must have texts of at most {MAX_TEXT} characters")
        if any(not character.isprintable() and character != "\n" for character in value):
            raise self.error(f"{key} has characters that cannot be printed")
        return value
