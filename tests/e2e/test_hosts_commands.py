"""`confvm … --connect URI` against libvirt's own test driver."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def _confvm(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "confvm_gui.app.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_machines_of_a_host_are_listed_and_shown(tmp_path: Path) -> None:
    host = ("--connect", "test:///default", "--data-dir", str(tmp_path / "none"))
    listed = _confvm("list", *host, "--json")
    assert listed.returncode == 0, listed.stderr
    (instance,) = json.loads(listed.stdout)
    assert (instance["name"], instance["state"], instance["cloud"]) == ("test", "running", "libvirt")
    assert instance["vcpus"] == 2
    shown = _confvm("show", "test", *host)
    assert shown.returncode == 0
    assert "libvirt-test-local-default" in shown.stdout
    assert _confvm("show", "nothing", *host).returncode == 1
    assert not (tmp_path / "none").exists()


def test_an_address_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    for words in (("list",), ("stop", "test"), ("peek", "test", "--gpa", "0", "--length", "16")):
        done = _confvm(*words, "--connect", "http://x", "--data-dir", str(tmp_path))
        assert done.returncode == 2
        assert done.stderr.startswith("confvm: connect: ")
        assert done.stderr.count("\n") == 1


def test_a_machine_is_stopped_by_a_job(tmp_path: Path) -> None:
    done = _confvm("stop", "test", "--connect", "test:///default", "--data-dir", str(tmp_path / "d"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "succeeded"
    none = _confvm("stop", "test", "--data-dir", str(tmp_path / "d"))
    assert none.returncode == 2
    assert "--connect" in none.stderr


def test_a_scan_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    where = ("--data-dir", str(tmp_path / "none"))
    embedded = _confvm("scan", "web", "--find", "a secret text", *where)
    assert embedded.returncode == 2
    assert "confvm run --find" in embedded.stderr
    nothing = _confvm("scan", "test", "--connect", "test:///default", *where)
    assert nothing.returncode == 2
    assert "at least one text" in nothing.stderr
    unknown = _confvm("scan", "nobody", "--find", "a secret text", "--connect", "test:///default", *where)
    assert unknown.returncode == 1
    assert "nobody" in unknown.stderr
    for done in (embedded, nothing, unknown):
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_a_scan_tells_what_the_host_reads(tmp_path: Path) -> None:
    # The RAM of libvirt's test driver holds the alphabet, again and again.
    machine = "<name>test</name><memory unit='MiB'>4</memory><vcpu>1</vcpu><os><type>hvm</type></os>"
    node = tmp_path / "node.xml"
    node.write_text(f"<node><domain type='test'>{machine}</domain></node>")
    host = ("--connect", f"test://{node}", "--data-dir", str(tmp_path / "none"))
    texts = tmp_path / "texts"
    texts.write_text("mnopqrst\n\na secret text\n")
    found = _confvm(
        "scan", "test", "--find-file", str(texts), "--output", str(tmp_path / "result.json"), "--json", *host
    )
    assert found.returncode == 1, found.stderr
    result = json.loads(found.stdout)
    terms = [(term["label"], term["view"], term["readability"]) for term in result["terms"]]
    assert terms == [("text 1", "hypervisor", "readable"), ("text 2", "hypervisor", "not found")]
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert "mnopqrst" not in found.stdout
    none = _confvm("scan", "test", "--find", "a secret text", "--hex", "00112233445566", *host)
    assert none.returncode == 0, none.stderr
    assert "not found" in none.stdout
    assert "MiB as the hypervisor sees it" in none.stdout
    assert not (tmp_path / "none").exists()
