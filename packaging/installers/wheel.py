"""The wheel and the source archive, by the build backend that pyproject.toml names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from installers.source import Source


def build_wheel(source: Source, out: Path) -> Path:
    """Both into `out`; returns the wheel. Raises CalledProcessError."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch)}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source.root)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = out.glob("*.whl")
    return wheel


def install_wheel(wheel: Path) -> None:
    """Put the wheel, without what it needs, into this environment: what is frozen is what is released."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)


def try_in_clean_environment(wheel: Path, work: Path) -> None:
    """Install `wheel` with its default set into a new environment where nothing can be compiled, and run both programs.

    Raises CalledProcessError.
    """
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(work)], check=True)
    python = work / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Wheels only: a package that has none for this system would need a compiler.
    subprocess.run([*pip, "--only-binary", ":all:", str(wheel)], check=True)
    subprocess.run([str(python.with_name("confvm")), "--version"], check=True)
    subprocess.run([str(python.with_name("confvm-gui")), "--self-test"], check=True, env=_offscreen())


def _offscreen() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
