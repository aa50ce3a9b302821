"""The equivalent resource for Terraform, in HCL.

Sources: Terraform Registry, hashicorp/google `google_compute_instance`, hashicorp/aws `aws_instance` and `aws_ami`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import LaunchRequest, check_labels
from confvm_gui.fleet.export.compute_engine import CONFIDENTIAL_INSTANCE_TYPES, PROJECT_PLACEHOLDER, kms_key

TERRAFORM_CLOUDS = ("gce", "aws")
_KMS = "awskms:"

Value: TypeAlias = "str | bool | Expression | Sequence[str] | Mapping[str, str] | Block | list[Block]"


class Expression(str):
    """Written as it is: `data.aws_ami.web.id`."""

    __slots__ = ()


class Block(dict[str, "Value"]):
    """A nested block, in order."""


def terraform_text(catalog: Catalog, request: LaunchRequest, project: str = PROJECT_PLACEHOLDER) -> str:
    """One resource, and what it refers to. Raises NotFound, InvalidInput."""
    return _google(catalog, request, project) if request.cloud == "gce" else _amazon(catalog, request)


def terraform_notes(request: LaunchRequest) -> tuple[str, ...]:
    """What the text leaves out or assumes."""
    notes = []
    if request.cloud == "aws":
        notes.append(f"The provider's region must be {request.region}")
    if not kms_key(request) and not request.disk_key.startswith(_KMS):
        notes.append(f"The disk key {request.disk_key} stays here; the cloud encrypts the disk with a key of its own")
    if request.records is not None:
        notes.append("The records are not part of it: they travel on the encrypted disk of the embedded guest")
    return tuple(notes)


def quoted(text: str) -> str:
    """A string of HCL: quoted as in JSON, its own templates escaped."""
    plain = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return plain.replace("\x7f", "\\u007f")


def _google(catalog: Catalog, request: LaunchRequest, project: str) -> str:
    image = catalog.image(request.cloud, request.image)
    source = f"family/{image.family}" if image.family else image.name
    disk = Block(auto_delete=True)
    if request.confidential:
        disk["interface"] = "NVME"
    if key := kms_key(request):
        disk["kms_key_self_link"] = key
    disk["initialize_params"] = Block(image=f"projects/{image.project}/global/images/{source}")
    body = Block(project=project, name=request.name, zone=request.zone, machine_type=request.machine_type)
    if request.min_cpu_platform:
        body["min_cpu_platform"] = request.min_cpu_platform
    if request.labels:
        body["labels"] = _sorted(request)
    if request.confidential:
        kind = CONFIDENTIAL_INSTANCE_TYPES[request.technology]
        body["confidential_instance_config"] = Block(confidential_instance_type=kind)
    body["scheduling"] = Block(on_host_maintenance=request.host_maintenance.value, automatic_restart=True)
    body["boot_disk"] = disk
    network = Block(network="default")
    if request.nic_type:
        network["nic_type"] = request.nic_type
    body["network_interface"] = network
    body["shielded_instance_config"] = Block(
        enable_secure_boot=request.secure_boot,
        enable_vtpm=request.vtpm,
        enable_integrity_monitoring=request.integrity_monitoring,
    )
    return _block(f'resource "google_compute_instance" {quoted(_name(request))}', body)


def _amazon(catalog: Catalog, request: LaunchRequest) -> str:
    image = catalog.image(request.cloud, request.image)
    name = _name(request)

    def having(field: str, value: str) -> Block:
        return Block(name=field, values=[value])

    ami = Block(most_recent=True, owners=[image.project])
    ami["filter"] = [
        having("name", image.family or image.name),
        having("architecture", "x86_64"),
        having("state", "available"),
    ]
    disk = Block(encrypted=True, volume_type="gp3", delete_on_termination=True)
    if request.disk_key.startswith(_KMS):
        region, _, key = request.disk_key.removeprefix(_KMS).partition("/")
        if region != request.region:
            raise InvalidInput("disk_key", f"The key is in {region}, the instance in {request.region}: they must agree")
        disk["kms_key_id"] = key
    body = Block(ami=Expression(f"data.aws_ami.{name}.id"))
    body |= {"instance_type": request.machine_type, "availability_zone": request.zone}
    body["tags"] = {"Name": request.name, **_sorted(request)}
    if request.technology is Technology.SEV_SNP:
        body["cpu_options"] = Block(amd_sev_snp="enabled")
    if request.technology is Technology.NITRO:
        body["enclave_options"] = Block(enabled=True)
    body["metadata_options"] = Block(http_tokens="required")
    body["root_block_device"] = disk
    data = _block(f'data "aws_ami" {quoted(name)}', ami)
    resource = _block(f'resource "aws_instance" {quoted(name)}', body)
    return f"{data}\n{resource}"


def _name(request: LaunchRequest) -> str:
    """The resource's name in Terraform: an identifier."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", request.name)
    return name if re.match(r"[A-Za-z]", name) else f"vm_{name}"


def _sorted(request: LaunchRequest) -> dict[str, str]:
    labels = check_labels(request.labels)
    return {key: labels[key] for key in sorted(labels)}


def _block(head: str, body: Block, indent: str = "") -> str:
    lines = [f"{indent}{head} {{"]
    inner = indent + "  "
    for key, value in body.items():
        if isinstance(value, Block):
            lines.append(_block(key, value, inner).rstrip("\n"))
        elif isinstance(value, list) and value and isinstance(value[0], Block):
            lines += [_block(key, each, inner).rstrip("\n") for each in value if isinstance(each, Block)]
        else:
            lines.append(f"{inner}{key} = {_written(value, inner)}")
    return "\n".join([*lines, f"{indent}}}"]) + "\n"


def _written(value: object, indent: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Expression():
            return str(value)
        case str():
            return quoted(value)
        case Mapping():
            inner = [f"{indent}  {quoted(key)} = {quoted(each)}" for key, each in value.items()]
            return "\n".join(["{", *inner, f"{indent}}}"])
        case Sequence():
            return f"[{', '.join(quoted(str(each)) for each in value)}]"
    raise InvalidInput("request", f"{value!r} cannot be written for Terraform")
