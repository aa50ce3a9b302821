"""`confvm catalog`: tables that fit the terminal, JSON with the source of each entry."""

from __future__ import annotations

import io
import json

import pytest

from confvm_gui.app.catalog_command import LINE_WIDTH, run_catalog
from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import InvalidInput

LISTS = ["images", "regions", "machine-types", "technologies"]
CLOUDS = [None, "embedded", "gce", "azure", "aws", "oci", "vsphere", "libvirt"]


def _run(what: str, cloud: str | None, *, as_json: bool = False) -> str:
    out = io.StringIO()
    assert run_catalog(what, cloud, as_json, out) == 0
    return out.getvalue()


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("what", LISTS)
def test_text_fits_and_json_is_complete(what: str, cloud: str | None) -> None:
    text = _run(what, cloud)
    assert text.endswith("\n")
    for line in text.splitlines():
        assert len(line) <= LINE_WIDTH or line.lstrip().startswith("https://")
        assert line == line.rstrip()
    rows = json.loads(_run(what, cloud, as_json=True))
    assert rows
    for row in rows:
        assert row["source"]["url"].startswith("https://")
        assert row["name"] in text
        if what != "technologies" and cloud not in (None, "embedded"):
            assert row["cloud"] == cloud


def test_embedded_lists_every_cloud() -> None:
    for what in LISTS:
        assert _run(what, "embedded") == _run(what, None)
    assert {row["cloud"] for row in json.loads(_run("regions", "embedded", as_json=True))} == set(load_catalog().clouds)


def test_rows_tell_what_matters() -> None:
    images = {row["name"]: row for row in json.loads(_run("images", "gce", as_json=True))}
    ubuntu = images["ubuntu-1804-lts"]
    assert ubuntu["launch_set"] is True
    assert ubuntu["technologies"] == ["sev"]
    assert "SEV_CAPABLE" in ubuntu["features"]
    assert "launch set" in next(line for line in _run("images", "gce").splitlines() if "ubuntu-1804-lts" in line)

    regions = {row["name"]: row for row in json.loads(_run("regions", "gce", as_json=True))}
    assert regions["asia-south1"]["technologies"]["tdx"] == ["asia-south1-b"]
    line = next(line for line in _run("regions", "gce").splitlines() if "asia-south1 " in line)
    assert line.split() == ["asia-south1", "Mumbai,", "India", "a", "b", "c", "sev", "a", "b", "c,", "tdx", "b"]

    (datacenter,) = json.loads(_run("regions", "vsphere", as_json=True))
    assert datacenter["latitude"] is None

    machine_types = {row["name"]: row for row in json.loads(_run("machine-types", "gce", as_json=True))}
    assert machine_types["n2d-standard-2"]["min_cpu_platform"] == {"sev": "AMD Milan", "sev-snp": "AMD Milan"}
    assert machine_types["n2d-standard-2"]["live_migration"] == ["none", "sev"]

    offered = [row["name"] for row in json.loads(_run("technologies", "gce", as_json=True))]
    assert offered == ["sev", "sev-snp", "tdx"]


def test_unknown_words_are_told() -> None:
    with pytest.raises(InvalidInput, match=r"no provider 'ibm'; choose one of gce, .*embedded") as caught:
        run_catalog("images", "ibm", False, io.StringIO())
    assert caught.value.field == "provider"
    with pytest.raises(InvalidInput, match="no list 'prices'"):
        run_catalog("prices", None, False, io.StringIO())
