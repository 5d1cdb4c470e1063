"""Settings: what an operator may choose, in one frozen value.

A value comes from the first place that names it: a flag, the environment (`STOCKWIRE_PORT`), one TOML file (the one
given by `--config`, else `stockwire.toml` in the data directory), the default. `load` remembers which place it was,
because the first question about any setting is "why does it have that value?".

Rules: a key nobody knows is refused with the nearest known name, never ignored; nothing is read after start. Settings
that folding depends on (time zone, currency, allowed minutes) also go into the log as an event, so that a refold
gives the same rows.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.lifecycle import ALLOWED_MINUTES

CONFIG_NAME: Final = "stockwire.toml"
PREFIX: Final = "STOCKWIRE_"
CONFIG_VARIABLE: Final = PREFIX + "CONFIG"
_PORT_UNSAID: Final = 80
"""The port that browsers leave out of an http origin."""
REDACTED: Final = "••••••••"

Seconds = Annotated[int, Meta(ge=1, le=366 * 86_400)]


class SourceAge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many seconds without a new event a source counts as late, and as silent."""

    late: Seconds
    silent: Seconds


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may choose. Each field's description is what `stockwire settings --help` and the reference say."""

    data_dir: Annotated[Path, Meta(description="Directory that holds the log and everything else that is kept.")]
    host: Annotated[str, Meta(description="Address to listen on. Beyond loopback, put TLS in front.", min_length=1)] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(description="Port to listen on; 0 takes any free one.", ge=0, le=65_535)] = 8420
    origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins the page may be opened from, exactly. Empty: the server's own addresses."),
    ] = ()
    shop_name: Annotated[str, Meta(description="The shop's name on the screen.", min_length=1, max_length=80)] = (
        "My shop"
    )
    timezone: Annotated[str, Meta(description="The shop's time zone: when its day begins.", min_length=1)] = "UTC"
    currency: Annotated[str, Meta(description="The shop's currency, three letters.", pattern="^[A-Z]{3}$")] = "EUR"
    clock: Annotated[
        Literal["wall", "events"],
        Meta(description="What `now` is: the wall's clock, or the newest event's time (for history that is replayed)."),
    ] = "wall"
    allowed_minutes: Annotated[
        dict[str, Annotated[int, Meta(ge=1)]],
        Meta(
            description="Minutes an order may stay in a status before it is late; statuses left out keep the default."
        ),
    ] = msgspec.field(default_factory=lambda: dict(ALLOWED_MINUTES))
    source_late_seconds: Annotated[Seconds, Meta(description="A source without news for this long is late.")] = 300
    source_silent_seconds: Annotated[Seconds, Meta(description="A source without news for this long is silent.")] = 900
    sources: Annotated[
        dict[str, SourceAge], Meta(description="Other ages for single sources, by the source's name.")
    ] = {}
    workers: Annotated[
        int,
        Meta(
            description="Processes that serve screens. 1: one process does everything; else one more writes, and one watches.",
            ge=1,
            le=64,
        ),
    ] = 1
    max_connections: Annotated[int, Meta(description="Open streams at most, all together.", ge=1)] = 20_000
    max_connections_each: Annotated[
        int, Meta(description="Open streams at most from one address, at one worker.", ge=1)
    ] = 20_000
    future_tolerance_seconds: Annotated[
        int, Meta(description="How far ahead of the server's clock an event's time may be.", ge=0)
    ] = 300
    verify_hours: Annotated[
        int,
        Meta(
            ge=0,
            le=8_760,
            description="Hours between two verifications of the log by a process beside the server. 0: never.",
        ),
    ] = 24
    retention_days: Annotated[
        int, Meta(description="Days for which a returning client gets exactly what changed.", ge=1, le=366)
    ] = 7
    private_receivers: Annotated[
        tuple[str, ...],
        Meta(description="Hosts that messages may go to although their addresses are not public, also by plain http."),
    ] = ()
    push_contact: Annotated[
        str,
        Meta(
            description="Where push services can reach you: mailto:you@example.com or https://… Safari's wants it.",
            pattern="^$|^(mailto:|https://)",
        ),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="How much the server writes to its log.")
    ] = "info"
    simulated: Annotated[bool, Meta(description="Label everything on the screen as simulated.")] = False
    server_url: Annotated[
        str, Meta(description="The running server that `import --url` and `replay` send to.", pattern="^https?://")
    ] = "http://127.0.0.1:8420"
    key: Annotated[
        str | None, Meta(description="The ingest key that `import --url` and `replay` send.", extra={"secret": True})
    ] = None

    def ages_of(self, source: str) -> SourceAge:
        """After which ages that source is late and silent."""
        return self.sources.get(source) or SourceAge(self.source_late_seconds, self.source_silent_seconds)

    @property
    def own_origins(self) -> tuple[str, ...]:
        """The origins the page may be opened from: the listed ones, else the server's own addresses."""
        if self.origins:
            return self.origins
        hosts = ["127.0.0.1", "localhost", "[::1]"]
        if self.host not in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::"):
            hosts.append(f"[{self.host}]" if ":" in self.host else self.host)
        port = "" if self.port == _PORT_UNSAID else f":{self.port}"
        return tuple(f"http://{host}{port}" for host in hosts)

    @property
    def config_file(self) -> Path:
        """Where the data directory's own settings file is, or would be."""
        return self.data_dir / CONFIG_NAME


class Setting(msgspec.Struct, frozen=True):
    """One setting as `stockwire settings` shows it: `origin` is the flag, variable or file that gave the value."""

    name: str
    value: Any
    origin: str
    description: str
    secret: bool

    @property
    def shown(self) -> str:
        """The value as text, or dots for a secret."""
        if self.secret and self.value:
            return REDACTED
        return _as_text(self.value)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


class Loaded(msgspec.Struct, frozen=True):
    """The settings in force, and where each came from (`"default"` where nobody said)."""

    settings: Settings
    origins: Mapping[str, str]

    def explain(self) -> list[Setting]:
        """Every setting with its value, its origin and what it means."""
        return [
            Setting(name, getattr(self.settings, name), self.origins[name], _description(kind), _secret(kind))
            for name, kind in HINTS.items()
        ]


HINTS: Final[Mapping[str, Any]] = get_type_hints(Settings, include_extras=True)
"""Every setting's name and annotated type, in the order they are shown."""


def load(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    config: Path | None = None,
    data_home: Path | None = None,
) -> Loaded:
    """The settings in force.

    `flags` holds only those that were given. `config` is an explicit settings file, which must exist. `data_home` is where
    the data directory goes by default (XDG: `$XDG_DATA_HOME`, else `~/.local/share`).

    Raises Invalid with the setting, the place and what to write instead.
    """
    given: dict[str, tuple[Any, str]] = {}
    for name, value in flags.items():
        given[name] = (value, "--" + name.replace("_", "-"))
    for name, text in _variables(environ).items():
        given.setdefault(name, (_from_text(name, text), PREFIX + name.upper()))
    explicit = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    data_dir, _ = given.get("data_dir", (None, ""))
    default_dir = (data_home or _data_home(environ)) / "stockwire"
    file = explicit or Path(data_dir or default_dir) / CONFIG_NAME
    for name, value in _file(file, must_exist=explicit is not None).items():
        if name == "data_dir" and explicit is None:
            raise Invalid(f"{file}: `data_dir` cannot be set in the data directory's own file; use --data-dir")
        given.setdefault(name, (value, str(file)))
    given.setdefault("data_dir", (str(default_dir), "default"))
    return _settle(given)


def parse_assignment(text: str) -> tuple[str, Any]:
    """A setting's name and value from `name=value`, the value written as an environment variable would have it.

    Raises Invalid for a name nobody knows, or another form.
    """
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise Invalid(f"`--set {text}`: write NAME=VALUE, such as --set retention_days=14")
    if name not in HINTS:
        raise Invalid(f"`--set {text}`: {_unknown('setting', name, HINTS)}")
    return name, _from_text(name, value)


def _settle(given: Mapping[str, tuple[Any, str]]) -> Loaded:
    values: dict[str, Any] = {}
    for name, (raw, origin) in given.items():
        values[name] = _convert(name, raw, origin)
    values["data_dir"] = values["data_dir"].expanduser().absolute()
    if "allowed_minutes" in values:
        values["allowed_minutes"] = {**ALLOWED_MINUTES, **values["allowed_minutes"]}
    settings = Settings(**values)
    origins = {name: given[name][1] if name in given else "default" for name in HINTS}
    _check(settings, origins)
    return Loaded(settings, origins)


def _convert(name: str, raw: Any, origin: str) -> Any:
    try:
        return msgspec.convert(raw, HINTS[name], dec_hook=_path)
    except msgspec.ValidationError as error:
        raise Invalid(f"`{name}` from {origin}: {error}") from None


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError(kind)


def _check(settings: Settings, origins: Mapping[str, str]) -> None:
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"`timezone` from {origins['timezone']}: no time zone is called `{settings.timezone}`; "
            "use a name such as Europe/London"
        ) from None
    for status in settings.allowed_minutes:
        if status not in ALLOWED_MINUTES:
            raise Invalid(
                f"`allowed_minutes` from {origins['allowed_minutes']}: {_unknown('status', status, ALLOWED_MINUTES)}"
            )
    ages = {"source_silent_seconds": SourceAge(settings.source_late_seconds, settings.source_silent_seconds)}
    for name, age in {**ages, **settings.sources}.items():
        if age.silent < age.late:
            raise Invalid(f"`{name}`: a source cannot be silent ({age.silent} s) before it is late ({age.late} s)")
    for origin in settings.origins:
        scheme, _, rest = origin.partition("://")
        if scheme not in ("http", "https") or not rest or "/" in rest or rest == "*":
            raise Invalid(
                f"`origins` from {origins['origins']}: `{origin}` is not an origin; "
                "write scheme, host and port alone, such as https://stock.example.com"
            )


def _file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise Invalid(f"there is no settings file {path}") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the settings file {path} cannot be read: {error}") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not TOML: {error}") from None
    for name in values:
        if name not in HINTS:
            raise Invalid(f"{path}: {_unknown('setting', name, HINTS)}")
    return values


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings among the environment's variables. One that is nearly a setting is refused as a slip."""
    found = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in HINTS:
            found[name] = text
        elif near := difflib.get_close_matches(name, HINTS, 1, 0.8):
            raise Invalid(f"the environment has {variable}; did you mean {PREFIX}{near[0].upper()}?")
    return found


def _unknown(noun: str, name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"unknown {noun} `{name}`" + (f"; did you mean `{near[0]}`?" if near else "")


def _from_text(name: str, text: str) -> Any:
    """A variable's text in the form TOML would give."""
    kind = HINTS[name]
    plain = getattr(kind, "__origin__", kind)
    try:
        if name in ("origins", "private_receivers"):
            return [part.strip() for part in text.split(",") if part.strip()]
        if name == "allowed_minutes":
            return {status: int(minutes) for status, minutes in _pairs(text)}
        if name == "sources":
            ages = [(source, age.split("/")) for source, age in _pairs(text)]
            return {source: {"late": int(late), "silent": int(silent)} for source, (late, silent) in ages}
    except ValueError:
        raise Invalid(f"`{PREFIX}{name.upper()}` has the form {_FORMS[name]}") from None
    if plain in (int, bool) or int in get_args(plain):
        try:
            return msgspec.convert(text, plain, strict=False)
        except msgspec.ValidationError:
            return text
    return text


_FORMS: Final = {
    "origins": "https://a.example,https://b.example",
    "allowed_minutes": "placed=240,packed=720",
    "sources": "till=300/900,webshop=60/600 (seconds until late/silent)",
}


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.rpartition("=")
        if not equals:
            raise ValueError(part)
        pairs.append((name.strip(), value.strip()))
    return pairs


def _data_home(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_DATA_HOME", "")
    return Path(home) if Path(home).is_absolute() else Path(environ.get("HOME") or Path.home()) / ".local" / "share"


def _metas(kind: Any) -> list[Meta]:
    return [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, Meta)]


def _description(kind: Any) -> str:
    return next((meta.description for meta in _metas(kind) if meta.description), "")


def _secret(kind: Any) -> bool:
    return any((meta.extra or {}).get("secret") for meta in _metas(kind))


def _as_text(value: Any) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value) or "-"
        case dict():
            return ", ".join(f"{name}={_as_text(part)}" for name, part in value.items()) or "-"
        case SourceAge():
            return f"{value.late}/{value.silent}"
        case _:
            return str(value)
