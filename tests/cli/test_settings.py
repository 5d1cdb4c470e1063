"""Settings: where a value comes from, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stockwire.core.errors import Invalid
from stockwire.settings import HINTS, Loaded, SourceAge, load, parse_assignment
from tests.cli.program import stockwire


def loaded(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Loaded:
    (tmp_path / "stockwire.toml").write_text(toml)
    return load({"data_dir": tmp_path, **flags}, environ or {})


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, 'port = 1\nhost = "a"\ncurrency = "GBP"', {"STOCKWIRE_PORT": "2", "STOCKWIRE_HOST": "b"}, port=3
    )
    assert (found.settings.port, found.settings.host, found.settings.currency) == (3, "b", "GBP")
    assert [found.origins[name] for name in ("port", "host", "currency", "clock")] == [
        "--port", "STOCKWIRE_HOST", str(tmp_path / "stockwire.toml"), "default",
    ]  # fmt: skip


def test_a_misspelt_setting_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="unknown setting `prot`; did you mean `port`"):
        loaded(tmp_path, "prot = 1")


def test_a_misspelt_variable_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="did you mean STOCKWIRE_CURRENCY"):
        loaded(tmp_path, environ={"STOCKWIRE_CURENCY": "GBP"})


def test_a_variable_that_is_no_setting_at_all_is_somebody_elses(tmp_path: Path) -> None:
    assert loaded(tmp_path, environ={"STOCKWIRE_SOAK_MINUTES": "5"}).settings.port == 8420


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("port = 70000", "65535"),
        ('port = "many"', "Expected `int`"),
        ('timezone = "Mars/Olympus"', "Europe/London"),
        ('currency = "pounds"', "currency"),
        ('clock = "sundial"', "clock"),
        ('origins = ["*"]', "is not an origin"),
        ('origins = ["https://shop.example/page"]', "scheme, host and port alone"),
        ("[allowed_minutes]\npackd = 5", "did you mean `packed`"),
        ("[sources.till]\nlate = 300\nsilent = 60", "cannot be silent"),
        ("[sources.till]\nlate = 300", "silent"),
        ('data_dir = "/elsewhere"', "--data-dir"),
        ("port = ", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place(tmp_path: Path, toml: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        loaded(tmp_path, toml)


def test_the_environment_can_say_everything(tmp_path: Path) -> None:
    environ = {
        "STOCKWIRE_ORIGINS": "https://a.example, https://b.example",
        "STOCKWIRE_ALLOWED_MINUTES": "placed=30",
        "STOCKWIRE_SOURCES": "till=60/120",
        "STOCKWIRE_SIMULATED": "true",
    }
    settings = loaded(tmp_path, environ=environ).settings
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.allowed_minutes["placed"] == 30 and settings.allowed_minutes["packed"] == 720
    assert settings.simulated
    assert settings.ages_of("till") == SourceAge(60, 120)
    assert settings.ages_of("other") == SourceAge(300, 900)


@pytest.mark.parametrize("variable", ["STOCKWIRE_ALLOWED_MINUTES", "STOCKWIRE_SOURCES"])
def test_a_variable_of_another_form_is_refused_with_the_form(tmp_path: Path, variable: str) -> None:
    with pytest.raises(Invalid, match="has the form"):
        loaded(tmp_path, environ={variable: "soon"})


def test_the_data_directory_is_where_xdg_says() -> None:
    assert load({}, {"XDG_DATA_HOME": "/data"}).settings.data_dir == Path("/data/stockwire")
    assert load({}, {"HOME": "/people/ada"}).settings.data_dir == Path("/people/ada/.local/share/stockwire")


def test_a_settings_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="there is no settings file"):
        load({}, {}, config=tmp_path / "none.toml")


def test_a_settings_file_elsewhere_may_name_the_data_directory(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"')
    assert load({}, {"STOCKWIRE_CONFIG": str(file)}).settings.data_dir == tmp_path / "data"


def test_a_host_of_its_own_is_an_origin(tmp_path: Path) -> None:
    assert "http://192.168.1.5:9000" in loaded(tmp_path, host="192.168.1.5", port=9000).settings.own_origins
    assert "http://[fd00::1]:8420" in loaded(tmp_path, host="fd00::1").settings.own_origins


def test_an_origin_leaves_out_the_port_that_browsers_leave_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, host="192.168.1.5", port=80).settings.own_origins[-1] == "http://192.168.1.5"


def test_settings_are_shown_with_their_origin(tmp_path: Path) -> None:
    ended = stockwire("settings", "-d", tmp_path, env={"STOCKWIRE_PORT": "9000"})
    assert ended.code == 0
    assert "port = 9000  from STOCKWIRE_PORT" in ended.out
    assert all(name in ended.out for name in HINTS)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    for more in ((), ("--json",)):
        ended = stockwire("settings", "-d", tmp_path, *more, env={"STOCKWIRE_KEY": "swk_secret"})
        assert "swk_secret" not in ended.out and "••••" in ended.out


def test_settings_as_json_have_every_value(tmp_path: Path) -> None:
    shown = json.loads(stockwire("settings", "-d", tmp_path, "--json").out)
    assert shown["port"]["value"] == 8420 and shown["port"]["from"] == "default"
    assert shown["data_dir"]["value"] == str(tmp_path)


def test_a_wrong_setting_ends_a_command_with_usage(tmp_path: Path) -> None:
    ended = stockwire("settings", "-d", tmp_path, env={"STOCKWIRE_PORT": "many"})
    assert (ended.code, "`port` from STOCKWIRE_PORT" in ended.err) == (2, True)


@pytest.mark.parametrize("name", [name for name in HINTS if name not in ("data_dir", "key")])
def test_every_setting_with_its_default_is_in_the_reference(name: str) -> None:
    reference = Path(__file__).parents[2].joinpath("docs/reference/settings.md").read_text()
    setting = next(each for each in load({}, {"HOME": "/people/ada"}).explain() if each.name == name)
    section = reference.split(f"## `{name}`")[1].split("\n## ")[0]
    assert setting.description in section
    assert f"Default: `{setting.shown}`" in section or setting.shown == "-"


def test_any_setting_can_be_given_by_its_name() -> None:
    assert parse_assignment("retention-days=14") == ("retention_days", 14)
    assert parse_assignment("origins=https://a.example,https://b.example")[1] == [
        "https://a.example",
        "https://b.example",
    ]


def test_a_name_that_is_no_setting_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="did you mean `retention_days`"):
        parse_assignment("retention_day=14")
    with pytest.raises(Invalid, match="NAME=VALUE"):
        parse_assignment("retention_days")
