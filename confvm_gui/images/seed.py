"""A cloud-init NoCloud seed: an ISO 9660 disk labelled `cidata` with `meta-data` and `user-data`.

cloud-init, NoCloud data source. Both are written as JSON, which is YAML: no text can break out of its place. The
network is left as the image has it.
"""

from __future__ import annotations

import io
import json
import re
from typing import Final

from confvm_gui.domain.errors import InvalidInput, Unsupported
from confvm_gui.domain.images import SeedSpec

_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_KEY: Final = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]{2,60} [A-Za-z0-9+/]{16,16384}={0,3}( [^\x00-\x1f\x7f]{0,200})?")
_MOST_FILES: Final = 256
_MOST_TEXT: Final = 1 << 20


def check_seed(spec: SeedSpec) -> None:
    """Raises InvalidInput naming the field."""
    if not _HOST.fullmatch(spec.hostname):
        raise InvalidInput("hostname", "A host name has 1 to 63 lower-case letters, digits and hyphens")
    if spec.user and not _USER.fullmatch(spec.user):
        raise InvalidInput("user", "A user name has 1 to 32 lower-case letters, digits, hyphens and underscores")
    if len(spec.ssh_keys) > 64:
        raise InvalidInput("ssh_keys", "At most 64 SSH keys are taken")
    for key in spec.ssh_keys:
        if not _KEY.fullmatch(key):
            raise InvalidInput("ssh_keys", "An SSH key is one line: its type, the key, and a comment")
    if len(spec.files) > _MOST_FILES or sum(len(text) for _, text in spec.files) > _MOST_TEXT:
        raise InvalidInput("files", f"At most {_MOST_FILES} files with {_MOST_TEXT >> 20} MiB in all are taken")
    for path, text in spec.files:
        parts = path.split("/")
        if not path.startswith("/") or len(path) > 1024 or not path.isprintable() or {"..", "."} & set(parts):
            raise InvalidInput("files", f"{path[:60]!r} is not an absolute path in the guest")
        if path.endswith("/") or any(0xD800 <= ord(char) <= 0xDFFF for char in path + text) or "\0" in text:
            raise InvalidInput("files", f"The file {path[:60]!r} cannot be written as text")


def user_data(spec: SeedSpec) -> bytes:
    """The `#cloud-config` document."""
    config: dict[str, object] = {"hostname": spec.hostname, "preserve_hostname": False}
    if spec.user:
        config["users"] = [
            {
                "name": spec.user,
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "shell": "/bin/bash",
                "lock_passwd": True,
                "ssh_authorized_keys": list(spec.ssh_keys),
            }
        ]
    elif spec.ssh_keys:
        config["ssh_authorized_keys"] = list(spec.ssh_keys)
    if spec.files:
        config["write_files"] = [
            {"path": path, "content": text, "permissions": "0600", "owner": "root:root"} for path, text in spec.files
        ]
    return b"#cloud-config\n" + json.dumps(config, indent=1).encode() + b"\n"


def meta_data(spec: SeedSpec) -> bytes:
    """Its `instance-id` follows from the content: another seed is another first boot."""
    import hashlib

    digest = hashlib.sha256(user_data(spec)).hexdigest()[:16]
    names = {"instance-id": f"{spec.hostname}-{digest}", "local-hostname": spec.hostname}
    return json.dumps(names).encode() + b"\n"


def make_seed(spec: SeedSpec) -> bytes:
    """The disk. Raises InvalidInput naming the field, Unsupported where pycdlib is not installed."""
    check_seed(spec)
    try:
        import pycdlib
    except ImportError:
        raise Unsupported("Seeds cannot be made: pycdlib is not installed (pip install pycdlib)") from None
    disk = pycdlib.PyCdlib()
    disk.new(interchange_level=3, vol_ident="cidata", joliet=3, rock_ridge="1.09")
    for name, plain, data in (
        ("meta-data", "/METADATA.;1", meta_data(spec)),
        ("user-data", "/USERDATA.;1", user_data(spec)),
    ):
        disk.add_fp(io.BytesIO(data), len(data), plain, rr_name=name, joliet_path=f"/{name}")
    out = io.BytesIO()
    disk.write_fp(out)
    disk.close()
    return out.getvalue()
