"""The equivalent gcloud command and REST call."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.export import ExportFormat, export_request, gcloud_command, rest_body, rest_url
from confvm_gui.fleet.launch import default_request, make_confidential
from tests.support.wizard_session import real_catalog


def google(technology: Technology) -> LaunchRequest:
    request = replace(
        default_request(real_catalog()), name="web-1", image="ubuntu-2204-lts", labels={"team": "a", "env": "test"}
    )
    return make_confidential(real_catalog(), request, technology)[0]


def split(command: str) -> list[str]:
    """Split as a POSIX shell does; shlex does not know that a backslash joins lines."""
    return shlex.split(command.replace(" \\\n    ", " "))


def flags(request: LaunchRequest) -> list[str]:
    words = split(gcloud_command(real_catalog(), request, "my-project"))
    assert words[:5] == ["gcloud", "compute", "instances", "create", request.name]
    return words[5:]


def test_the_command_for_sev_has_every_documented_flag() -> None:
    assert flags(google(Technology.SEV)) == [
        "--project=my-project",
        "--zone=us-central1-a",
        "--machine-type=n2d-standard-4",
        "--min-cpu-platform=AMD Milan",
        "--confidential-compute-type=SEV",
        "--maintenance-policy=MIGRATE",
        "--image-family=ubuntu-2204-lts",
        "--image-project=ubuntu-os-cloud",
        "--network-interface=nic-type=GVNIC",
        "--no-shielded-secure-boot",
        "--shielded-vtpm",
        "--shielded-integrity-monitoring",
        "--labels=env=test,team=a",
    ]


def test_snp_and_tdx_stop_for_maintenance_and_are_spelled_as_google_does() -> None:
    snp, tdx = flags(google(Technology.SEV_SNP)), flags(google(Technology.TDX))
    assert {"--confidential-compute-type=SEV_SNP", "--maintenance-policy=TERMINATE"} <= set(snp)
    assert {"--confidential-compute-type=TDX", "--maintenance-policy=TERMINATE"} <= set(tdx)
    assert not any(flag.startswith("--min-cpu-platform") for flag in tdx)


def test_a_plain_vm_asks_for_no_confidential_type() -> None:
    plain = default_request(real_catalog())
    assert not any("confidential-compute" in flag for flag in flags(plain))
    body = rest_body(real_catalog(), plain)
    assert "confidentialInstanceConfig" not in body


def test_the_body_has_the_apis_fields() -> None:
    request = replace(google(Technology.SEV), secure_boot=True)
    body = rest_body(real_catalog(), request)
    assert body["machineType"] == "zones/us-central1-a/machineTypes/n2d-standard-4"
    assert body["minCpuPlatform"] == "AMD Milan"
    assert body["confidentialInstanceConfig"] == {"confidentialInstanceType": "SEV"}
    assert body["scheduling"] == {"onHostMaintenance": "MIGRATE", "automaticRestart": True}
    assert body["shieldedInstanceConfig"] == {
        "enableSecureBoot": True,
        "enableVtpm": True,
        "enableIntegrityMonitoring": True,
    }
    assert body["labels"] == {"env": "test", "team": "a"}
    (disk,) = body["disks"] if isinstance(body["disks"], list) else []
    assert disk["initializeParams"]["sourceImage"] == "projects/ubuntu-os-cloud/global/images/family/ubuntu-2204-lts"
    assert disk["interface"] == "NVME"


def test_a_cloud_kms_key_encrypts_the_disk_and_a_local_one_is_told_about() -> None:
    key = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
    request = replace(google(Technology.SEV), disk_key=f"gcpkms:{key}")
    assert f"--boot-disk-kms-key={key}" in flags(request)
    assert '"kmsKeyName"' in json.dumps(rest_body(real_catalog(), request))
    export = export_request(real_catalog(), google(Technology.SEV), ExportFormat.GCLOUD)
    assert any("local:default stays here" in note for note in export.notes)


def test_the_rest_text_is_a_url_and_the_json_body() -> None:
    request = google(Technology.SEV)
    export = export_request(real_catalog(), request, ExportFormat.REST, "my-project")
    head, _, body = export.text.partition("\n\n")
    assert head.splitlines()[0] == f"POST {rest_url(request, 'my-project')}"
    assert rest_url(request, "my-project").endswith("/v1/projects/my-project/zones/us-central1-a/instances")
    assert json.loads(body) == rest_body(real_catalog(), request)


@pytest.mark.parametrize("export_format", [ExportFormat.GCLOUD, ExportFormat.REST, ExportFormat.TERRAFORM])
def test_other_clouds_and_technologies_give_the_reason_and_no_text(export_format: ExportFormat) -> None:
    azure = default_request(real_catalog(), cloud="azure")
    export = export_request(real_catalog(), azure, export_format)
    assert export.text == ""
    assert "Microsoft Azure is not there yet" in export.unavailable
    es = replace(google(Technology.SEV), technology=Technology.SEV_ES)
    assert "does not offer AMD SEV-ES" in export_request(real_catalog(), es, export_format).unavailable


@given(zone=st.text(max_size=30), platform=st.text(min_size=1, max_size=30), project=st.text(max_size=30))
def test_nothing_breaks_out_of_the_quoting(zone: str, platform: str, project: str) -> None:
    request = replace(google(Technology.SEV), zone=zone, min_cpu_platform=platform)
    words = split(gcloud_command(real_catalog(), request, project))
    assert len(words) == len(split(gcloud_command(real_catalog(), google(Technology.SEV), "p")))
    assert f"--zone={zone}" in words
    assert f"--project={project}" in words
    assert rest_url(request, project).count("/") == rest_url(google(Technology.SEV), "p").count("/")
