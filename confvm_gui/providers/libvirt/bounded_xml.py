"""XML from outside as a tree, within limits: no document types, so no entities, and no more than a definition needs."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from confvm_gui.domain.errors import InvalidInput

MAX_CHARACTERS: Final = 4 << 20
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 50_000


def parse(text: str, what: str = "xml") -> Element:
    """The root element, names in ElementTree's form (`{namespace}name`). Raises InvalidInput(`what`)."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(what, f"The host's answer has {len(text)} characters; a definition has far fewer")
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = elements = 0

    def name(raw: str) -> str:
        return f"{{{raw}" if "}" in raw else raw

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise InvalidInput(what, "The host's answer is nested too deeply or has too many elements")
        builder.start(name(tag), {name(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name(tag))

    def refuse(*_: object) -> None:
        raise InvalidInput(what, "The host's answer has a document type, which a definition never has")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise InvalidInput(what, f"The host's answer is not XML: {error}") from None
    except ValueError:  # a surrogate has no encoding
        raise InvalidInput(what, "The host's answer is not text") from None
    return builder.close()


def number(text: str | None, default: int = 0) -> int:
    """A decimal or 0x number that fits 64 bits, or `default`."""
    try:
        value = int((text or "").strip()[:32], 0)
    except ValueError:
        return default
    return value if 0 <= value < 1 << 64 else default
