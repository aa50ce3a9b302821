"""The daemon of a figure: what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from confvm_gui.app.bench import private_libvirtd as module
from confvm_gui.domain.errors import Unsupported


def test_missing_programs_are_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "_SBIN", str(tmp_path))
    with pytest.raises(Unsupported, match=r"lacks libvirtd, .*install the packages"), module.private_libvirtd():
        pass


def test_a_daemon_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libvirtd").write_text("#!/bin/sh\necho 'no permission for this' >&2\nexit 1\n")
    (tmp_path / "libvirtd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Unsupported, match="no permission for this"), module.private_libvirtd():
        pass
    assert not list(tmp_path.parent.glob("confvm-bench-*"))
