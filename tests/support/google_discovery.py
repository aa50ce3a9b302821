"""Requests held against Google's discovery documents, as `google-api-python-client` ships them."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


class RefusedError(Exception):
    """The request is none of the API's; the text says what is wrong."""


@dataclass(frozen=True)
class Matched:
    """A request that the API has."""

    method: str
    """`compute.instances.insert`."""
    parameters: Mapping[str, str]
    """Of path and query."""
    body: Mapping[str, Any]


@dataclass(frozen=True)
class _Method:
    id: str
    verb: str
    path: re.Pattern[str]
    described: Mapping[str, Any]


class Discovery:
    """One API."""

    def __init__(self, name: str) -> None:
        """`name` of the document: `compute.v1`."""
        folder = importlib.resources.files("googleapiclient.discovery_cache") / "documents"
        document = json.loads((folder / f"{name}.json").read_text())
        self._schemas: Mapping[str, Any] = document["schemas"]
        self._common = frozenset(document["parameters"])
        self._methods = list(_methods(document["resources"], "/" + document["servicePath"]))

    def match(self, verb: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Matched:
        """Raises RefusedError."""
        fitting = [
            (method, found)
            for method in self._methods
            if (found := method.path.fullmatch(path)) is not None
            and method.verb == verb
            and _patterns_hold(method, found.groupdict())
        ]
        if not fitting:
            raise RefusedError(f"no method has {verb} {path}")
        # A name may have a colon in it: the method that names more of the path is meant.
        method, found = max(fitting, key=lambda each: len(each[0].described["path"]))
        parameters = dict(found.groupdict())
        known = method.described.get("parameters", {})
        for name, values in query.items():
            if name not in known and name not in self._common:
                raise RefusedError(f"{method.id} has no parameter {name}")
            if len(values) > 1 and not known[name].get("repeated"):
                raise RefusedError(f"{method.id}: {name} stands twice")
            parameters[name] = values[0]
        for name, described in known.items():
            if name in parameters:
                self._text(f"{method.id}.{name}", parameters[name], described)
            elif described.get("required"):
                raise RefusedError(f"{method.id} needs the parameter {name}")
        wanted = method.described.get("request")
        if wanted is None:
            if body:
                raise RefusedError(f"{method.id} takes no body")
            return Matched(method.id, parameters, {})
        content = json.loads(body)
        self.check(wanted["$ref"], content)
        return Matched(method.id, parameters, content)

    def check(self, schema: str, value: object, *, answer: bool = False) -> None:
        """Raise RefusedError unless `value` is of the schema. `answer`: what only the service sets may stand in it."""
        self._check(schema, value, {"$ref": schema}, answer)

    def _check(self, where: str, value: object, schema: Mapping[str, Any], answer: bool) -> None:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        if schema.get("readOnly") and not answer:
            raise RefusedError(f"{where} is set by the service only")
        match schema.get("type"):
            case "object":
                if not isinstance(value, dict):
                    raise RefusedError(f"{where} is no object")
                known, others = schema.get("properties", {}), schema.get("additionalProperties")
                for name, each in value.items():
                    if name in known:
                        self._check(f"{where}.{name}", each, known[name], answer)
                    elif others is not None:
                        self._check(f"{where}.{name}", each, others, answer)
                    else:
                        raise RefusedError(f"{where} has no field {name}")
            case "array":
                if not isinstance(value, list):
                    raise RefusedError(f"{where} is no list")
                for each in value:
                    self._check(f"{where}[]", each, schema["items"], answer)
            case "boolean":
                if not isinstance(value, bool):
                    raise RefusedError(f"{where} is no boolean")
            case "integer":
                if not isinstance(value, int) or isinstance(value, bool):
                    raise RefusedError(f"{where} is no integer")
            case "number":
                if not isinstance(value, int | float):
                    raise RefusedError(f"{where} is no number")
            case "string":
                if not isinstance(value, str):
                    raise RefusedError(f"{where} is no string")
                self._text(where, value, schema)

    @staticmethod
    def _text(where: str, value: str, schema: Mapping[str, Any]) -> None:
        if "enum" in schema and value not in schema["enum"]:
            raise RefusedError(f"{where} is not one of {schema['enum']}: {value}")
        if "pattern" in schema and re.fullmatch(schema["pattern"], value) is None:
            raise RefusedError(f"{where} is not as {schema['pattern']}: {value}")
        if schema.get("format") in ("uint64", "int64", "uint32") and re.fullmatch(r"-?\d+", value) is None:
            raise RefusedError(f"{where} is no number: {value}")


@cache
def discovery(name: str) -> Discovery:
    return Discovery(name)


def _patterns_hold(method: _Method, parts: Mapping[str, str]) -> bool:
    """Whether the variables of a path are those of this method: several have paths that look the same."""
    known = method.described.get("parameters", {})
    return all(re.fullmatch(known.get(name, {}).get("pattern", ".*"), part) for name, part in parts.items())


def _methods(resources: Mapping[str, Any], service: str) -> Any:
    for resource in resources.values():
        for method in resource.get("methods", {}).values():
            template = service + method["path"]
            parts = re.split(r"\{(\+?)([A-Za-z]+)\}", template)
            pattern = "".join(
                re.escape(part) if at % 3 == 0 else "" if at % 3 == 1 else f"(?P<{part}>{_span(parts[at - 1])})"
                for at, part in enumerate(parts)
            )
            yield _Method(method["id"], method["httpMethod"], re.compile(pattern), method)
        yield from _methods(resource.get("resources", {}), service)


def _span(plus: str) -> str:
    return ".+?" if plus else "[^/]+"
