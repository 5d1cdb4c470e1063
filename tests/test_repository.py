"""What must be true of the tree itself, whatever the code does.

A clone must build anywhere: no address of a package registry, no path of one machine, locks with hashes. And a
person must find what exists: every command and setting under a heading of the reference, every link of the
documentation leading somewhere.
"""

import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import msgspec
import pytest
import typer

from stockwire import __version__, cli
from stockwire.core.errors import StockwireError
from stockwire.settings import Settings

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
GENERATED = ("src/stockwire/dashboard/", "dist/", "frontend/dist/", "frontend/node_modules/", ".venv/", ".stamps/")

# Spelled in parts, so that this file does not name what it looks for.
REGISTRIES = ["registry." + "npmjs.org", "py" + "pi.org", "files.python" + "hosted.org", "deb." + "debian.org"]
MACHINE_PATHS = ["/wo" + "rk/main", "/wo" + "rk/shared", "/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/"]


@cache
def tracked() -> list[Path]:
    """Every file under version control, or every file of an unpacked source distribution."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        files = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        files = list(ROOT.rglob("*"))
    return [file for file in files if file.is_file()]


@cache
def texts() -> dict[str, str]:
    """The tracked files that are text, by their path in the tree."""
    found = {}
    for file in tracked():
        content = file.read_bytes()
        if b"\0" not in content:
            found[file.relative_to(ROOT).as_posix()] = content.decode()
    return found


def naming(words: list[str]) -> list[str]:
    """Where any of these words stands."""
    return [f"{path}: {word}" for path, text in texts().items() for word in words if word in text]


def headings(page: str) -> str:
    """The headings of a page of the documentation, one a line."""
    return "\n".join(re.findall(r"^#+ .*$", (ROOT / "docs" / page).read_text(), re.MULTILINE))


def commands(app: typer.Typer) -> list[str]:
    """Every command a person can type, as typed: `key create`."""

    def walk(command: object, words: tuple[str, ...]) -> list[str]:
        children = getattr(command, "commands", None)
        if children is None:
            return [" ".join(words)]
        return [name for word, child in children.items() for name in walk(child, (*words, word))]

    return walk(typer.main.get_command(app), ())


def test_no_file_names_a_package_registry() -> None:
    assert naming(REGISTRIES) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert naming(MACHINE_PATHS) == []


def test_generated_files_are_not_tracked() -> None:
    names = [file.relative_to(ROOT).as_posix() for file in tracked()]
    assert [name for name in names if name.startswith(GENERATED) or "__pycache__" in name] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_python_package_has_hashes_and_no_address(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text().split("\n", 2)[2])
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in lock.read_text()


def test_the_python_locks_agree_with_each_other() -> None:
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE):
            pins.setdefault(name, set()).add(version)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_every_locked_page_package_has_a_hash_and_no_address() -> None:
    packages = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert [name for name, package in locked.items() if not package.get("integrity")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_page_names_exact_versions() -> None:
    package = json.loads((ROOT / "frontend/package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    assert {name: version for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == {}


def test_the_page_and_the_package_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = json.loads((ROOT / "frontend/package.json").read_text())
    assert {package["version"], __version__} == {project["version"]}


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("command", commands(cli.app))
def test_every_command_has_a_heading_in_the_reference(command: str) -> None:
    assert re.search(rf"\b{re.escape(command)}\b", headings("reference/cli.md")), command


@pytest.mark.parametrize("setting", [field.name for field in msgspec.structs.fields(Settings)])
def test_every_setting_has_a_heading_in_the_reference(setting: str) -> None:
    assert re.search(rf"\b{setting}\b", headings("reference/settings.md")), setting


def test_every_error_has_a_heading_in_the_reference() -> None:
    def tree(error: type[StockwireError]) -> list[str]:
        return [error.code, *(code for child in error.__subclasses__() for code in tree(child))]

    known = headings("reference/errors.md")
    assert [code for code in tree(StockwireError) if not re.search(rf"\b{code}\b", known)] == []


def anchors(page: Path) -> set[str]:
    """What a link may lead to within a page: its headings, as they are named in addresses."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    broken = []
    for path, text in texts().items():
        if not path.endswith(".md"):
            continue
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            where, _, anchor = target.partition("#")
            page = (ROOT / path).parent / where if where else ROOT / path
            if not page.exists() or (anchor and anchor not in anchors(page)):
                broken.append(f"{path} -> {target}")
    assert broken == []


def test_every_file_that_the_documentation_names_is_there() -> None:
    pages = {path: text for path, text in texts().items() if path.endswith(".md")}
    named = {
        (page, found)
        for page, text in pages.items()
        for found in re.findall(r"`((?:frontend/)?(?:tests|spec|bench|scripts)/[\w./-]+\.\w+)", text)
    }
    assert {found for _, found in named} > {"tests/connection/test_faults.py"}
    assert [(page, found) for page, found in sorted(named) if found not in texts()] == []


def test_every_row_of_the_connections_tables_names_the_test_that_shows_it_and_every_test_is_named() -> None:
    page = texts()["docs/reference/connection.md"]
    tables = re.findall(r"^\|[^\n]*Shown by \|\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", page, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(tables) == 3 and len(rows) > 30
    assert [row for row in rows if not re.search(r"`(frontend/)?tests/[^`]+`[^|]*\|$", row)] == []
    shown = {path for path in texts() if re.fullmatch(r"tests/connection/test_\w+\.py", path)}
    assert [path for path in sorted(shown) if path not in page] == []
