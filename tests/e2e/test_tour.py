"""The tour: the main job through the real window, as a newcomer without a display would see it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "tell nobody that the heron keeps its savings under the third jetty"
CSV = f"""id,name,age,balance,defaulted,note
1,Ada,36,61.5,yes,"{TEXT}"
2,Bob,50,80.25,no,nothing to see
3,Cy,22,70,yes,another note
4,Di,63,-55e1,no,"the last, quoted, note"
"""


def _size_of_png(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return int(width), int(height)


@pytest.mark.timeout(120)
def test_tour_shows_what_the_host_can_and_cannot_read(tmp_path: Path) -> None:
    records = tmp_path / "records.csv"
    records.write_text(CSV, encoding="utf-8")
    folder = tmp_path / "tour"
    command = [sys.executable, "-m", "confvm_gui.app.main", "--tour", str(folder), "--records", str(records)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads((folder / "tour.json").read_text(encoding="utf-8"))

    confidential, plain, integrity = seen["instances"]
    assert (confidential["confidential"], confidential["technology"]) == (True, "sev")
    assert (plain["confidential"], plain["technology"]) == (False, "none")
    assert (integrity["confidential"], integrity["technology"]) == (True, "sev-snp")
    for instance in (confidential, plain, integrity):
        assert instance["states"] == ["creating", "starting", "running", "stopping", "stopped", "deleting"]
        assert instance["search"]["text"] == TEXT
        assert instance["search"]["guest"] >= 1
    assert confidential["search"]["hypervisor"] == 0
    assert integrity["search"]["hypervisor"] == 0
    assert plain["search"]["hypervisor"] >= 1

    asked = [(one["name"], one["format"], one["trusted"], one["emulated"]) for one in seen["attestations"]]
    assert asked == [
        (confidential["name"], "sev-report", True, True),
        (integrity["name"], "snp-report", True, True),
    ]
    assert all(one["host"] == "host-1" and "emulated" in one["by"] for one in seen["attestations"])
    migration = seen["migration"]
    assert (migration["name"], migration["source"], migration["target"]) == (confidential["name"], "host-1", "host-2")
    assert migration["search"]["guest"] >= 1
    assert migration["search"]["hypervisor"] == 0
    bundle = seen["bundle"]
    assert (bundle["format"], bundle["trusted"], bundle["emulated"]) == ("snp-report", True, True)
    assert (folder / bundle["file"]).stat().st_size == bundle["bytes"]

    assert len(seen["screenshots"]) >= 10
    for name in seen["screenshots"]:
        width, height = _size_of_png(folder / name)
        assert width >= 1280
        assert height >= 800
    assert 0 < seen["seconds_to_running"] < 60
    assert seen["seconds"] < 60
    assert seen["stalls_over_50_ms"] == 0, seen["stalls"]


def test_tour_with_unusable_records_says_so_in_one_line(tmp_path: Path) -> None:
    records = tmp_path / "records.csv"
    records.write_text("a,b\n1\n", encoding="utf-8")
    command = [sys.executable, "-m", "confvm_gui.app.main", "--tour", str(tmp_path / "t"), "--records", str(records)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("confvm-gui: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "t").exists()
