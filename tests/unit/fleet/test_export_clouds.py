"""Requests as AWS CLI commands and Terraform resources, held against botocore's model and an HCL parser."""

from __future__ import annotations

import importlib
import io
import json
import shlex
from dataclasses import replace
from itertools import product
from typing import Any

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.export import ExportFormat, export_request, formats_for
from confvm_gui.fleet.export.aws_cli import aws_flags
from confvm_gui.fleet.export.terraform import quoted
from confvm_gui.fleet.launch import default_request, make_confidential, make_plain
from tests.support.wizard_session import real_catalog


def varied() -> list[LaunchRequest]:
    """Twenty requests: clouds, technologies, labels, keys, images."""
    catalog = real_catalog()
    found = []
    google = [Technology.SEV, Technology.SEV_SNP, Technology.TDX, Technology.NONE]
    amazon = [Technology.SEV_SNP, Technology.NITRO, Technology.NONE]
    keys = {"gce": "gcpkms:projects/p/locations/global/keyRings/r/cryptoKeys/k", "aws": "awskms:{region}/alias/disks"}
    for (cloud, technology), labels, own_key in product(
        [("gce", each) for each in google] + [("aws", each) for each in amazon],
        [{}, {"team": "a-b_c", "env": "test"}],
        [False, True],
    ):
        request = replace(default_request(catalog, cloud=cloud), name="web-1", labels=labels)
        change = make_plain(catalog, request) if technology is Technology.NONE else make_confidential(
            catalog, request, technology
        )  # fmt: skip
        request = replace(change[0], secure_boot=own_key)
        if own_key:
            request = replace(request, disk_key=keys[cloud].format(region=request.region))
        found.append(request)
    assert len(found) >= 20
    return found


def text(request: LaunchRequest, form: ExportFormat) -> str:
    export = export_request(real_catalog(), request, form, "my-project")
    assert not export.unavailable
    assert all(note and not note.endswith(".") for note in export.notes)
    return export.text


def plain(value: Any) -> Any:
    """An HCL parser's answer without the quotes and marks that it leaves."""
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return json.loads(value)
    return value


@pytest.mark.parametrize("request_", varied(), ids=str)
def test_terraform_reads_it(request_: LaunchRequest) -> None:
    parsed = plain(hcl2.load(io.StringIO(text(request_, ExportFormat.TERRAFORM))))
    (resource,) = parsed["resource"]
    if request_.cloud == "gce":
        body = resource["google_compute_instance"]["web_1"]
        assert (body["zone"], body["machine_type"]) == (request_.zone, request_.machine_type)
        assert ("confidential_instance_config" in body) is request_.confidential
        (shielded,) = body["shielded_instance_config"]
        assert shielded["enable_secure_boot"] is request_.secure_boot
        (disk,) = body["boot_disk"]
        assert ("kms_key_self_link" in disk) is request_.disk_key.startswith("gcpkms:")
        assert body.get("labels", {}) == dict(request_.labels)
    else:
        body = resource["aws_instance"]["web_1"]
        assert (body["availability_zone"], body["instance_type"]) == (request_.zone, request_.machine_type)
        assert ("cpu_options" in body) is (request_.technology is Technology.SEV_SNP)
        assert ("enclave_options" in body) is (request_.technology is Technology.NITRO)
        (disk,) = body["root_block_device"]
        assert disk["encrypted"] is True
        assert ("kms_key_id" in disk) is request_.disk_key.startswith("awskms:")
        assert body["tags"] == {"Name": "web-1", **request_.labels}
        (data,) = parsed["data"]
        assert data["aws_ami"]["web_1"]["most_recent"] is True


@pytest.mark.parametrize("request_", [each for each in varied() if each.cloud == "aws"], ids=str)
def test_the_aws_cli_knows_every_flag_and_value(request_: LaunchRequest) -> None:
    session: Any = importlib.import_module("botocore.session")  # not typed
    validator: Any = importlib.import_module("botocore.validate").ParamValidator()
    shape = session.get_session().get_service_model("ec2").operation_model("RunInstances").input_shape
    named = {_flag(member): member for member in shape.members}
    given: dict[str, Any] = {"MinCount": 1, "MaxCount": 1}
    for flag, value in aws_flags(request_).items():
        given[named[flag]] = _value(shape.members[named[flag]], value)
    assert not validator.validate(given, shape).has_errors()
    words = shlex.split(text(request_, ExportFormat.AWS_CLI).replace(" \\\n    ", " "), posix=True)
    assert words[:3] == ["aws", "ec2", "run-instances"]
    assert "--image-id" in words
    assert all(f"--{flag}" in words for flag in aws_flags(request_))


def _flag(member: str) -> str:
    botocore: Any = importlib.import_module("botocore")
    return str(botocore.xform_name(member, "-"))


def _value(shape: Any, value: str) -> Any:
    """As the AWS CLI reads it: JSON, or its shorthand for one structure."""
    if shape.type_name == "string":
        return value
    if value.startswith(("[", "{")):
        return json.loads(value)
    name, _, inner = value.partition("=")
    return {name: inner == "true" if shape.members[name].type_name == "boolean" else inner}


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_hcl(value: str) -> None:
    written = quoted(value)
    assert "\n" not in written
    assert written.count('"') - written.count('\\"') <= 2 + written.count("\\\\")
    opened = written.replace("$${", "").replace("%%{", "")
    assert "${" not in opened
    assert "%{" not in opened


def test_a_key_of_another_region_is_refused() -> None:
    request = next(each for each in varied() if each.disk_key.startswith("awskms:"))
    with pytest.raises(InvalidInput, match="must agree"):
        text(replace(request, disk_key="awskms:ap-south-1/alias/x"), ExportFormat.TERRAFORM)


def test_each_cloud_has_its_forms() -> None:
    assert formats_for("gce") == (ExportFormat.GCLOUD, ExportFormat.REST, ExportFormat.TERRAFORM)
    assert formats_for("aws") == (ExportFormat.AWS_CLI, ExportFormat.TERRAFORM)
    assert formats_for("azure") == ()
