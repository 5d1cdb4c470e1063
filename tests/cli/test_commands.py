"""The commands around the data: keys, links, doctor, version, help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stockwire import __version__
from stockwire.cli import app
from stockwire.log.access import Access
from stockwire.log.lock import DirectoryLock
from tests.cli.program import stockwire


def commands() -> list[str]:
    return [str(command.name) for command in app.registered_commands]


def test_a_new_key_is_alone_on_stdout_and_its_hash_is_kept(tmp_path: Path) -> None:
    ended = stockwire("key", "create", "webshop", "-d", tmp_path)
    token = ended.out.strip()
    access = Access(tmp_path / "access.db")
    holder = access.key(token)
    access.close()
    assert holder is not None and (holder.name, holder.scopes) == ("webshop", ("ingest",))
    assert token.encode() not in (tmp_path / "access.db").read_bytes()


@pytest.mark.parametrize("command", [("key", "list"), ("channels", "list")])
def test_a_data_directory_that_a_command_makes_is_its_owners_alone(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert stockwire(*command, "-d", tmp_path / "data").code == 0
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_revoked_key_is_of_no_use_and_stays_in_the_list(tmp_path: Path) -> None:
    token = stockwire("key", "create", "webshop", "--scope", "read", "-d", tmp_path).out.strip()
    assert stockwire("key", "revoke", "webshop", "-d", tmp_path).code == 0
    access = Access(tmp_path / "access.db")
    assert access.key(token) is None
    access.close()
    assert "revoked" in stockwire("key", "list", "-d", tmp_path).out
    assert json.loads(stockwire("key", "list", "--json", "-d", tmp_path).out)[0]["name"] == "webshop"


def test_revoking_what_is_not_there_says_so(tmp_path: Path) -> None:
    ended = stockwire("key", "revoke", "nobody", "-d", tmp_path)
    assert (ended.code, "nobody" in ended.err) == (2, True)


def test_an_unknown_scope_is_refused(tmp_path: Path) -> None:
    ended = stockwire("key", "create", "webshop", "--scope", "everything", "-d", tmp_path)
    assert (ended.code, "ingest, read and manage" in ended.err) == (2, True)


def test_a_link_signs_in_once(tmp_path: Path) -> None:
    link = stockwire("link", "-d", tmp_path, "--port", "9000").out.strip()
    address, _, token = link.partition("#")
    access = Access(tmp_path / "access.db")
    assert address == "http://127.0.0.1:9000/sign-in"
    assert access.sign_in(token) is not None
    assert access.sign_in(token) is None
    access.close()


def findings(tmp_path: Path, **env: str) -> dict[str, dict[str, str]]:
    ended = stockwire("doctor", "-d", tmp_path, "--json", env={"STOCKWIRE_PORT": "0"} | env)
    return {finding["check"]: finding for finding in json.loads(ended.out)}


def test_the_doctor_finds_a_fit_place_fit(tmp_path: Path) -> None:
    found = findings(tmp_path)
    del found["Page"]  # built or not, as the tree is
    assert {check: each["found"] for check, each in found.items() if each["state"] != "ok"} == {}


def test_the_doctor_names_the_owner_of_the_data(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    owned = findings(tmp_path)["Owner"]
    lock.release()
    assert owned["state"] == "note" and "--url" in owned["remedy"]
    assert findings(tmp_path)["Owner"]["state"] == "ok"


def test_the_doctor_has_a_remedy_for_whatever_is_wrong(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    ended = stockwire("doctor", "-d", in_the_way, env={"STOCKWIRE_HOST": "0.0.0.0", "STOCKWIRE_PORT": "0"})
    assert ended.code == 1
    assert "is not a directory" in ended.out and "choose another with --data-dir" in ended.out
    assert "set origins" in ended.out


@pytest.mark.parametrize("command", commands())
def test_every_command_teaches_in_its_help(command: str) -> None:
    ended = stockwire(command, "--help")
    assert ended.code == 0
    assert "Example" in ended.out or "Next" in ended.out


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert stockwire("--version").out.strip() == f"stockwire {__version__}"


def test_a_misspelt_command_is_usage() -> None:
    assert stockwire("improt").code == 2


def test_help_loads_none_of_the_machinery() -> None:
    heavy = "{'litestar', 'uvicorn', 'apsw', 'httpx', 'zoneinfo'}"
    script = f"import sys, stockwire.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
