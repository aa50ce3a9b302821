"""Guardrails below the window: what a data directory's rules deny, `confvm run` does not launch there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from confvm_gui.domain.policy import Assignment, Mode
from confvm_gui.store import open_store

CLI = (sys.executable, "-m", "confvm_gui.app.cli")


def confvm(*words: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([*CLI, *map(str, words)], capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stdout, done.stderr


async def switch_on(data_dir: Path, pack: str) -> None:
    store = await open_store(data_dir)
    store.policies.put_assignments([Assignment(pack, 1, Mode.ENFORCE)])
    await store.aclose()


def test_a_run_is_denied_with_rule_field_and_what_would_pass(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    asyncio.run(switch_on(data_dir, "google-launch"))
    run = ("run", "--name", "probe", "--data-dir", data_dir, "--region", "us-east1", "--for", "1")
    code, _, err = confvm(*run)
    assert code == 1
    (denial,) = [line for line in err.splitlines() if "Denied by" in line]
    assert "Denied by google-launch/launch-regions, for its region" in denial
    assert "With region us-central1, zone us-central1-a, image ubuntu-2004-lts" in denial
    assert denial.endswith("it would be allowed")
    code, out, _ = confvm("list", "--json", "--data-dir", data_dir)
    assert (code, json.loads(out)) == (0, [])
    code, out, _ = confvm("audit", "export", "--data-dir", data_dir)
    denials = [line for line in out.splitlines() if '"policy.denied"' in line]
    assert len(denials) == 1
