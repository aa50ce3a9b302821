"""Archives come out the same each time; comparing says where two builds are not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from installers.archives import settle, tree_size, write_hashes, write_tar_gz
from installers.comparison import differences, tree_differences

_EPOCH = 1_700_000_000


def _tree(folder: Path, *, names: list[str], mask: int, at: int) -> Path:
    """A bundle of files made in the order of `names`."""
    before = os.umask(mask)
    try:
        (folder / "inner").mkdir(parents=True)
        for name in names:
            path = folder / name
            path.write_text(name)
            os.utime(path, (at, at))
        (folder / "program").chmod(0o700)
        (folder / "link").symlink_to("program")
    finally:
        os.umask(before)
    return folder


def _packed(tmp_path: Path, which: str, *, names: list[str], mask: int, at: int) -> Path:
    tree = _tree(tmp_path / which / "confvm-console", names=names, mask=mask, at=at)
    settle(tree, _EPOCH)
    out = tmp_path / f"out-{which}"
    out.mkdir()
    write_tar_gz(tree, out / "confvm-console.tar.gz", _EPOCH)
    return out


def test_order_time_and_umask_do_not_show(tmp_path: Path) -> None:
    names = ["program", "inner/a.so", "inner/b"]
    one = _packed(tmp_path, "one", names=names, mask=0o022, at=1)
    two = _packed(tmp_path, "two", names=names[::-1], mask=0o077, at=2_000_000)
    assert differences(one, two) == []


def test_a_difference_is_named(tmp_path: Path) -> None:
    one = _packed(tmp_path, "one", names=["program", "inner/a"], mask=0o022, at=1)
    two = _packed(tmp_path, "two", names=["program", "inner/b"], mask=0o022, at=1)
    (two / "NOTICE").write_text("")
    assert differences(one, two) == [
        "NOTICE is in only one of them",
        "confvm-console.tar.gz differs: confvm-console/inner/a, confvm-console/inner/b",
    ]


def test_folders_are_compared_by_content_kind_mode_and_time(tmp_path: Path) -> None:
    names = ["program", "inner/a", "inner/b"]
    trees = [_tree(tmp_path / which, names=names, mask=0o022, at=1) for which in ("one", "two")]
    for tree in trees:
        settle(tree, _EPOCH)
    assert tree_differences(*trees) == []
    (trees[1] / "inner" / "a").write_text("else")
    (trees[1] / "inner" / "b").chmod(0o600)
    (trees[1] / "link").unlink()
    settled = trees[1] / "program"
    os.utime(settled, (1, 1))
    assert tree_differences(*trees) == ["inner/a", "inner/b", "link", "program"]


def test_libraries_and_texts_are_not_programs(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree", names=["program", "inner/a.so"], mask=0o022, at=1)
    (tree / "inner" / "a.so").chmod(0o755)
    settle(tree, _EPOCH)
    assert (tree / "inner" / "a.so").stat().st_mode & 0o777 == 0o644
    assert (tree / "program").stat().st_mode & 0o777 == 0o755
    assert tree_size(tree) == len("program") + len("inner/a.so")


def test_hashes_are_those_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(b"1")
    (tmp_path / "deb").write_bytes(b"2")
    write_hashes(tmp_path)
    write_hashes(tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    assert "SHA256SUMS" not in (tmp_path / "SHA256SUMS").read_text()
