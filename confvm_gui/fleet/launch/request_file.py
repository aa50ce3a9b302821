"""A launch request as a file, for `confvm create --request` and for keeping.

JSON or TOML, told apart by the file's ending; one flat table of the fields of `LaunchRequest` with the sub-tables
`records` and `labels`, and `confvm_request = 1` as the mark of the format. Reading is strict: an unknown or repeated
key, a value of another type and a missing choice are errors that name the field. Nothing in it is secret: the disk
key is a reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import SeedSpec
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest, RecordsSpec, check_labels, check_name
from confvm_gui.fleet.launch.plan import default_disk_key

FORMAT_KEY = "confvm_request"
FORMAT_VERSION = 1
MAX_BYTES = 1 << 20
"""A request is a few hundred bytes; anything larger is not one."""

_FIELDS = (
    "name",
    "provider",
    "cloud",
    "region",
    "zone",
    "machine_type",
    "image",
    "technology",
    "secure_boot",
    "vtpm",
    "integrity_monitoring",
    "host_maintenance",
    "nic_type",
    "min_cpu_platform",
    "disk_key",
    "attest",
    "records",
    "labels",
    "seed",
)
_RECORDS_FIELDS = ("path", "index_column", "label_column")
_SEED_FIELDS = ("hostname", "user", "ssh_keys", "files")
_MOST_SEED_LINES = 64
_LONGEST_SEED_FILE = 64 << 10

EnumType = TypeVar("EnumType", bound=Enum)


def request_to_mapping(request: LaunchRequest) -> dict[str, object]:
    """`request` as JSON-able plain values, without the format mark."""
    values: dict[str, object] = {
        "name": request.name,
        "provider": request.provider,
        "cloud": request.cloud,
        "region": request.region,
        "zone": request.zone,
        "machine_type": request.machine_type,
        "image": request.image,
        "technology": request.technology.value,
        "secure_boot": request.secure_boot,
        "vtpm": request.vtpm,
        "integrity_monitoring": request.integrity_monitoring,
        "host_maintenance": request.host_maintenance.value,
        "nic_type": request.nic_type,
        "min_cpu_platform": request.min_cpu_platform,
        "disk_key": request.disk_key,
        "attest": request.attest,
    }
    if request.records is not None:
        records = {"path": str(request.records.path)}
        if request.records.index_column is not None:
            records["index_column"] = request.records.index_column
        if request.records.label_column is not None:
            records["label_column"] = request.records.label_column
        values["records"] = records
    if request.labels:
        values["labels"] = dict(request.labels)
    if request.seed is not None:
        seed = request.seed
        values["seed"] = {
            "hostname": seed.hostname,
            "user": seed.user,
            "ssh_keys": list(seed.ssh_keys),
            "files": [list(file) for file in seed.files],
        }
    return values


def request_from_mapping(values: Mapping[str, object], base: Path | None = None) -> LaunchRequest:
    """The request that `values` describe; a relative records path is taken from `base`.

    Raises InvalidInput with the field that is wrong. Whether the choices fit each other is for `plan_launch`.
    """
    for key in values:
        if key not in _FIELDS:
            raise InvalidInput(_shown(key), f"{_shown(key)} is not a setting of a launch request; remove it")
    cloud = _text(values, "cloud", "gce")
    return LaunchRequest(
        name=check_name(_text(values, "name")),
        provider=_text(values, "provider", "embedded"),
        cloud=cloud,
        region=_text(values, "region"),
        zone=_text(values, "zone", ""),
        machine_type=_text(values, "machine_type"),
        image=_text(values, "image"),
        technology=_choice(values, "technology", Technology, Technology.SEV),
        secure_boot=_flag(values, "secure_boot", False),
        vtpm=_flag(values, "vtpm", True),
        integrity_monitoring=_flag(values, "integrity_monitoring", True),
        host_maintenance=_choice(values, "host_maintenance", HostMaintenance, HostMaintenance.TERMINATE),
        nic_type=_text(values, "nic_type", "GVNIC"),
        min_cpu_platform=_text(values, "min_cpu_platform", ""),
        records=_records(values, base),
        disk_key=_text(values, "disk_key", default_disk_key(cloud)),
        attest=_flag(values, "attest", True),
        labels=_labels(values),
        seed=_seed(values),
    )


def dump_request(request: LaunchRequest, *, toml: bool) -> str:
    """`request` as the text of a file."""
    values = {FORMAT_KEY: FORMAT_VERSION, **request_to_mapping(request)}
    if not toml:
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]"]
            lines += [f"{_toml(name)} = {_toml(item)}" for name, item in value.items()]
    return "\n".join(lines) + "\n"


def parse_request(text: str, *, toml: bool, base: Path | None = None) -> LaunchRequest:
    """Read back what `dump_request` wrote, or what a person wrote by hand.

    Raises InvalidInput: `request` for a file that is not JSON or TOML or of another format, else the field.
    """
    import tomllib  # the window starts without it

    try:
        values = tomllib.loads(text) if toml else json.loads(text, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:  # both decoders' errors are ValueErrors
        if isinstance(error, InvalidInput):
            raise
        kind = "TOML" if toml else "JSON"
        raise InvalidInput("request", f"The request is not valid {kind}: {error}") from None
    if not isinstance(values, dict):
        raise InvalidInput("request", "The request must be one table of settings")
    version = values.pop(FORMAT_KEY, None)
    if type(version) is not int:
        raise InvalidInput("request", f"The request has no line {FORMAT_KEY} = {FORMAT_VERSION}; it is another file")
    if version != FORMAT_VERSION:
        raise InvalidInput("request", f"The request is of format {version}; this console reads {FORMAT_VERSION}")
    return request_from_mapping(values, base)


def save_request(request: LaunchRequest, path: Path) -> None:
    """Write `request` to `path` (TOML if it ends in `.toml`, else JSON). Raises InvalidInput("request")."""
    try:
        path.write_text(dump_request(request, toml=_is_toml(path)), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput("request", f"The request cannot be saved as {path}: {_cause(error)}") from None


def load_request(path: Path) -> LaunchRequest:
    """Read the request file at `path`. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InvalidInput("request", f"{path} is larger than 1 MiB; it is not a launch request")
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("request", f"{path} is not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        raise InvalidInput("request", f"{path} cannot be read: {_cause(error)}") from None
    return parse_request(text, toml=_is_toml(path), base=path.parent)


def _is_toml(path: Path) -> bool:
    return path.suffix.lower() == ".toml"


def _cause(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in pairs:
        if key in values:
            raise InvalidInput(_shown(key), f"{_shown(key)} is given twice; keep one")
        values[key] = value
    return values


def _shown(key: str) -> str:
    return key if len(key) <= 40 and key.isprintable() and key else repr(key[:40])


def _text(values: Mapping[str, object], field: str, default: str | None = None) -> str:
    value = values.get(field, default)
    if value is None:
        raise InvalidInput(field, f"The request does not say {field}; add it")
    if not isinstance(value, str):
        raise InvalidInput(field, f"{field} must be text in quotes")
    if len(value) > 4096 or "\0" in value:
        raise InvalidInput(field, f"{field} is too long or has a NUL character in it")
    return value


def _flag(values: Mapping[str, object], field: str, default: bool) -> bool:
    value = values.get(field, default)
    if not isinstance(value, bool):
        raise InvalidInput(field, f"{field} must be true or false")
    return value


def _choice(values: Mapping[str, object], field: str, choices: type[EnumType], default: EnumType) -> EnumType:
    value = values.get(field, default.value)
    for choice in choices:
        if choice.value == value:
            return choice
    raise InvalidInput(field, f"{field} must be one of {', '.join(str(choice.value) for choice in choices)}")


def _records(values: Mapping[str, object], base: Path | None) -> RecordsSpec | None:
    records = values.get("records")
    if records is None:
        return None
    if not isinstance(records, Mapping):
        raise InvalidInput("records", "records must be a table with a path in it")
    for key in records:
        if key not in _RECORDS_FIELDS:
            raise InvalidInput("records", f"records has no setting {_shown(str(key))}; remove it")
    path = _text(records, "path") if "path" in records else ""
    if not path:
        raise InvalidInput("records", "records does not say the path of the CSV file; add it")
    return RecordsSpec(
        path=base / path if base is not None else Path(path),
        index_column=_text(records, "index_column") if "index_column" in records else None,
        label_column=_text(records, "label_column") if "label_column" in records else None,
    )


def _labels(values: Mapping[str, object]) -> Mapping[str, str]:
    labels = values.get("labels", {})
    if not isinstance(labels, Mapping):
        raise InvalidInput("labels", "labels must be a table of texts")
    checked: dict[str, str] = {}
    for key, value in labels.items():
        if not isinstance(value, str):
            raise InvalidInput("labels", f"The label {_shown(str(key))} must be text in quotes")
        checked[str(key)] = value
    return MappingProxyType(dict(check_labels(checked)))


def _seed(values: Mapping[str, object]) -> SeedSpec | None:
    seed = values.get("seed")
    if seed is None:
        return None
    if not isinstance(seed, Mapping):
        raise InvalidInput("seed", "seed must be a table with a hostname in it")
    for key in seed:
        if key not in _SEED_FIELDS:
            raise InvalidInput("seed", f"seed has no setting {_shown(str(key))}; remove it")
    keys = tuple(_seed_text(key, 16384) for key in _seed_list(seed, "ssh_keys"))
    files = []
    for entry in _seed_list(seed, "files"):
        if not isinstance(entry, list | tuple) or len(entry) != 2:
            raise InvalidInput("seed", "Each of seed's files is a list of two texts: path and content")
        files.append((_seed_text(entry[0], 4096), _seed_text(entry[1], _LONGEST_SEED_FILE)))
    return SeedSpec(_text(seed, "hostname"), _text(seed, "user", ""), keys, tuple(files))


def _seed_list(seed: Mapping[str, object], key: str) -> Sequence[object]:
    found = seed.get(key, ())
    if not isinstance(found, list | tuple) or len(found) > _MOST_SEED_LINES:
        raise InvalidInput("seed", f"seed's {key} must be a list of at most {_MOST_SEED_LINES}")
    return found


def _seed_text(value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise InvalidInput("seed", f"seed has something else than a text of at most {most} characters in a list")
    return value


def _toml(value: object) -> str:
    """A TOML 1.0 value: integers, booleans, basic strings and lists of them are all that a request has."""
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # JSON's string escapes are TOML's, but for DEL, which TOML forbids bare.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
