"""Every error Stockwire tells anybody about, as one tree.

Each class has a stable `code` (what programs match on and the anchor in docs/reference/errors.md), the HTTP
`status` and the stream `close_code` it becomes. The docstring of a class is its default message: what happened
and what to do. `Refused` is "you sent something we will not do"; `Failed` is "we could not do our part".
"""

from __future__ import annotations

from typing import ClassVar, TypedDict


class Problem(TypedDict, total=False):
    """One thing that is wrong with a request: where (a path, an event's index from 0, a line from 1) and what."""

    index: int
    line: int
    path: str
    detail: str


class StockwireError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    close_code: ClassVar[int] = 4004
    retry_after: int | None = None
    """Seconds after which to come back, where coming back helps."""

    def __init__(self, detail: str | None = None, *, problems: list[Problem] | None = None) -> None:
        doc = (type(self).__doc__ or "").strip()
        self.detail = detail or doc
        self.problems = problems or []
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        """The class's one-sentence meaning, the same for every occurrence."""
        return (type(self).__doc__ or "").strip().splitlines()[0]


class Refused(StockwireError):
    """The request was refused: correct it and send it again."""

    code = "refused"
    status = 400
    close_code = 4501


class Invalid(Refused):
    """The request does not have the form the documentation gives; nothing was changed."""

    code = "invalid"


class Interrupted(Invalid):
    """The events stopped at lines that are not right; those before them are stored, and none from there on."""

    code = "interrupted"


class TooLarge(Refused):
    """The request is over a limit; split it, or import the file instead."""

    code = "too_large"
    status = 413
    close_code = 4504


class HeadTooLarge(TooLarge):
    """The line and the headers of the request are together over the limit; send fewer or shorter ones."""

    code = "head_too_large"
    status = 431


class Unauthenticated(Refused):
    """Sign in, or send a bearer key that is still valid."""

    code = "unauthenticated"
    status = 401
    close_code = 4500


class Forbidden(Refused):
    """This key or person may not do that."""

    code = "forbidden"
    status = 403
    close_code = 4507


class NotFound(Refused):
    """There is nothing by that name."""

    code = "not_found"
    status = 404


class MethodNotAllowed(Refused):
    """That address exists, but not with this method; the documentation says which it has."""

    code = "method_not_allowed"
    status = 405
    allow: str | None = None
    """The methods that it has, as `Allow` says them."""


class Conflict(Refused):
    """Somebody else changed it meanwhile. Nothing was changed; look at it as it is now."""

    code = "conflict"
    status = 409


class TooSlow(Refused):
    """The rest of the request did not come; send it again."""

    code = "too_slow"
    status = 408


class NotPublic(Refused):
    """Messages go to public addresses; the setting `private_receivers` names hosts that may be private."""

    code = "not_public"


class NotReached(Refused):
    """The log has not reached that version yet; wait longer, or ask without `at_least`."""

    code = "not_reached"
    status = 412


class Unsupported(Refused):
    """That media type or encoding is not understood here; the documentation lists the ones that are."""

    code = "unsupported"
    status = 415


class VersionUnsupported(Refused):
    """This protocol version is not spoken here; reload the page or update the client."""

    code = "version_unsupported"
    close_code = 4510


class TooMany(Refused):
    """There are too many connections or requests; try again after the given time."""

    code = "too_many"
    status = 429
    close_code = 4013
    retry_after = 5


class Failed(StockwireError):
    """Stockwire could not do its part; nothing was changed; try again."""

    code = "failed"
    status = 500


class Unavailable(Failed):
    """Stockwire is starting, stopping or out of room; try again shortly."""

    code = "unavailable"
    status = 503
    close_code = 4001
    retry_after = 2


class DataDirectoryBusy(Failed):
    """Another Stockwire process owns this data directory; stop it, or send to it over HTTP instead."""

    code = "data_directory_busy"


class SchemaTooNew(Failed):
    """The data directory was written by a newer Stockwire; start that version."""

    code = "schema_too_new"


class StorageFailed(Failed):
    """The disk refused a write; nothing was acknowledged that is not stored; check space and permissions."""

    code = "storage_failed"
    status = 503
    retry_after = 5


class LostTrack(Failed):
    """The log went on without a process that follows it, or is another one now; that process begins anew."""

    code = "lost_track"


def error_of(code: str, detail: str, problems: list[Problem] | None = None) -> StockwireError:
    """The error as another process of this server told it; a plain failure when this one does not know the code."""
    found: list[type[StockwireError]] = [StockwireError]
    while found:
        kind = found.pop()
        if kind.code == code:
            return kind(detail, problems=problems)
        found += kind.__subclasses__()
    return Failed(detail, problems=problems)
