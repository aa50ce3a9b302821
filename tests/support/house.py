"""The rules of the house that ruff, mypy and import-linter do not know. Each check returns one line per complaint."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

_FORBIDDEN_WORDS = frozenset({"util", "utils", "misc", "common", "helper", "helpers", "manager", "managers"})
_FORBIDDEN_COMMENTS = re.compile(r"\b(?:type:\s*ignore|noqa|TODO|FIXME|XXX|pragma:\s*no cover)\b", re.IGNORECASE)
_FORBIDDEN_NAMES = {
    "QSortFilterProxyModel": "too slow over a model in Python (decision record 5)",
    "asyncClose": "spins the loop inside itself (decision record 4)",
    "asyncSlot": "loses its tasks (decision record 4)",
}
_MOST_LINES = 500


def python_files(root: Path) -> Iterator[Path]:
    """The sources of the program and its tests."""
    for top in ("confvm_gui", "tests"):
        yield from sorted((root / top).rglob("*.py"))


def stray_packages(root: Path) -> list[str]:
    """Python where the contracts of import-linter would not see it."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    layers = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    known = {name for layer in layers["layers"] for name in re.findall(r"\w+", layer)} | set(
        layers["exhaustive_ignores"]
    )
    package = root / "confvm_gui"
    found = [
        f"confvm_gui/{entry.name} stands in no layer"
        for entry in sorted(package.iterdir())
        if (entry.is_dir() or entry.suffix == ".py")
        and entry.name not in ("__pycache__", "__init__.py", "py.typed")
        and entry.stem not in known
    ]
    folders = {path.parent for path in package.rglob("*.py")}
    found += [
        f"{folder.relative_to(root)} has no __init__.py, so that no contract sees it"
        for folder in sorted(folders)
        if not (folder / "__init__.py").is_file()
    ]
    for top in ("packaging", "resources", ".ci"):
        found += [
            f"{path.relative_to(root)} makes a package outside confvm_gui and tests"
            for path in sorted((root / top).rglob("__init__.py"))
        ]
    return found


def long_files(root: Path) -> list[str]:
    """Files of more than 500 lines whose docstring does not speak of their lines."""
    found = []
    for path in python_files(root):
        text = path.read_text()
        lines = text.count("\n")
        if lines > _MOST_LINES and "lines" not in (ast.get_docstring(ast.parse(text)) or ""):
            found.append(f"{path.relative_to(root)} has {lines} lines, and its docstring does not say why")
    return found


def drawers(root: Path) -> list[str]:
    """Modules, packages and classes named for nothing in particular."""
    found = []
    for path in python_files(root):
        place = path.relative_to(root)
        words = {word for part in place.with_suffix("").parts for word in part.lower().split("_")}
        names = [str(place)] if words & _FORBIDDEN_WORDS else []
        names += [
            f"class {node.name} in {place}"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
            and {word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", node.name)} & _FORBIDDEN_WORDS
        ]
        found += [f"{name} is named like a drawer: say what it does" for name in names]
    return found


def shortcuts(root: Path) -> list[str]:
    """Suppressed checks, unfinished work, and calls that the decision records rule out."""
    found = []
    for path in python_files(root):
        text = path.read_text()
        place = path.relative_to(root)
        comments = {
            token.start[0]: token.string
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        }
        found += [
            f"{place}:{line}: {comment}" for line, comment in comments.items() if _FORBIDDEN_COMMENTS.search(comment)
        ]
        for node in ast.walk(ast.parse(text)):
            found += [f"{place}:{complaint}" for complaint in _complaints_of(node, comments)]
    return found


def _complaints_of(node: ast.AST, comments: dict[int, str]) -> list[str]:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) if name in _FORBIDDEN_NAMES:
            return [f"{node.lineno}: {name}: {_FORBIDDEN_NAMES[name]}"]
        case ast.Call(func=ast.Attribute(attr="exec" | "exec_")):
            return [f"{node.lineno}: exec() nests a second loop (decision record 4)"]
        case ast.ExceptHandler(type=ast.Name(id="Exception" | "BaseException" as name)):
            if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
                return []  # it tidies up and passes the error on
            near = range(node.lineno - 1, node.lineno + 2)
            if not any(line in comments for line in near):
                return [f"{node.lineno}: except {name} without a reason beside it"]
    return []


def links_of(page: Path) -> list[str]:
    """Targets of a page's links and pictures that are files, without fragments."""
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [target.partition("#")[0] for target in targets if not target.startswith(("http", "#", "mailto"))]


def dead_links(page: Path) -> list[str]:
    """Links and pictures of a Markdown page whose files do not exist."""
    return [f"{page.name}: {target}" for target in links_of(page) if not (page.parent / target).exists()]


def headings(page: Path) -> list[int]:
    """Levels of a page's headings, in their order."""
    return [len(found) for found in re.findall(r"^(#+) ", page.read_text(), re.MULTILINE)]
