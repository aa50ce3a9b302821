"""A cloud-init NoCloud seed: an ISO 9660 disk labelled `cidata` with `meta-data` and `user-data`.

cloud-init, NoCloud data source. Both are written as JSON, which is YAML: no text can break out of its place. The
network is left as the image has it.
"""

from __future__ import annotations

import io
import json

from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.images import SeedSpec, check_seed


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
