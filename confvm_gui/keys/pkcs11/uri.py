"""PKCS#11 URIs (RFC 7512) as KeyRefs: `pkcs11:token=confvm;object=disks`.

Of the path's attributes those that name a token and a key in it are taken: `token`, `manufacturer`, `serial`, `model`,
`object`, `id`, `type` (only `secret-key`). `object` is needed, because rotation makes keys of the same label, and with
it `token` or `serial`. Of the query's attributes none is: a PIN is a secret and does not stand in a reference that is
stored and shown (`pin-value`, `pin-source`), and what code the console loads is set by its user, not by who wrote a
request (`module-name`, `module-path`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from confvm_gui.domain.errors import InvalidInput

SCHEME: Final = "pkcs11"
_LONGEST: Final = 1024
_TEXTS: Final = {"token": 32, "manufacturer": 32, "serial": 16, "model": 16, "object": 128}
"""Bytes of UTF-8; the token's are as long as CK_TOKEN_INFO's fields."""
_LONGEST_ID: Final = 64
_ATTRIBUTE: Final = re.compile(r"([a-z-]+)=((?:[A-Za-z0-9._~\-:\[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*)")
"""RFC 7512, section 2.3: pk11-pattr; `/` and `?` stand encoded."""
_UNRESERVED: Final = "-._~:[]@!$'()*+,=&"
_SECRET: Final = ("pin-value", "pin-source")


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """One key, or with rotation the keys of one label, of one token."""

    object: str
    token: str = ""
    manufacturer: str = ""
    serial: str = ""
    model: str = ""
    id: bytes = b""

    @classmethod
    def parse(cls, text: str) -> Pkcs11Uri:
        """Raises InvalidInput("disk_key") for anything that is none, or says more than a reference may."""
        if len(text) > _LONGEST:
            raise _wrong(f"A PKCS#11 URI of more than {_LONGEST} characters is not read")
        scheme, colon, rest = text.partition(":")
        if scheme != SCHEME or not colon:
            raise _wrong("A key in a token is named as pkcs11:token=TOKEN;object=KEY")
        path, _, query = rest.partition("?")
        for each in re.split("[&;]", query) if query else ():
            name = each.partition("=")[0]
            if name in _SECRET:
                raise _wrong(f"A PIN does not belong into a key's reference: take {name} out; the console asks for it")
            raise _wrong("A key's reference has nothing behind a '?': the PKCS#11 module is chosen in the settings")
        values: dict[str, str] = {}
        key_id = b""
        for each in path.split(";"):
            match = _ATTRIBUTE.fullmatch(each)
            if match is None:
                raise _wrong("An attribute of a PKCS#11 URI is NAME=VALUE, with %XX for characters that are special")
            name, value = match[1], unquote_to_bytes(match[2])
            if name in _SECRET:
                raise _wrong(f"A PIN does not belong into a key's reference: take {name} out; the console asks for it")
            if name in values:
                raise _wrong(f"{name} stands twice in the PKCS#11 URI")
            values[name] = ""
            if name == "id":
                key_id = _id(value)
            elif name == "type":
                if value != b"secret-key":
                    raise _wrong("Disk keys are wrapped by secret keys: leave type out, or write type=secret-key")
            elif name in _TEXTS:
                values[name] = _text(name, value)
            else:
                raise _wrong(
                    f"{name!r} does not name a key; use token, serial, manufacturer, model, object, id and type"
                )
        if not values.get("object") or not (values.get("token") or values.get("serial")):
            raise _wrong("A key in a token is named by both: pkcs11:token=TOKEN;object=KEY")
        return cls(id=key_id, **{name: values.get(name, "") for name in _TEXTS})

    def __str__(self) -> str:
        """The URI in one spelling."""
        named = [(name, getattr(self, name)) for name in ("token", "manufacturer", "serial", "model", "object")]
        parts = [f"{name}={quote(value, safe=_UNRESERVED)}" for name, value in named if value]
        if self.id:
            parts.append("id=" + "".join(f"%{byte:02X}" for byte in self.id))
        return f"{SCHEME}:" + ";".join(parts)

    @property
    def place(self) -> str:
        """The token, for people."""
        return self.token or f"with serial {self.serial}"


def _id(value: bytes) -> bytes:
    if not 1 <= len(value) <= _LONGEST_ID:
        raise _wrong(f"The id of a key in a token is 1 to {_LONGEST_ID} bytes")
    return value


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _wrong(f"{name} is not UTF-8") from None
    if not 1 <= len(value) <= _TEXTS[name] or not text.isprintable() or text != text.strip():
        raise _wrong(f"{name} is 1 to {_TEXTS[name]} bytes of text, without blanks around it")
    return text


def _wrong(message: str) -> InvalidInput:
    return InvalidInput("disk_key", message)
