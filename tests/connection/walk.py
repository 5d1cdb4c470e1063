"""A walk through the screens and back, by what a person presses: links and rows.

The page walks by itself, in one evaluation, so that nothing of what drives the test is held or counted. And V8 is told
to take its notes at the first call of each function: notes are as many as the code has places, but each keeps the screen
it was taken on, and a note that is taken at the tenth call looks like a leak.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.connection.screen import PATIENCE, Cost, Screen

NOTES_AT_ONCE = "--js-flags=--no-lazy-feedback-allocation"
A_FEW = 10
# What is pressed, and what is then to be seen.
WAYS = (
    ('nav a[href="/inventory"]', 'main [role="gridcell"]'),
    ('main [role="gridcell"]', "dialog[open] .parts"),
    ('nav a[href="/orders"]', 'main [role="gridcell"] a'),
    ('main [role="gridcell"] a', "main .lines table"),
    ('nav a[href="/"]', "main .canvas canvas"),
    ('main a[href="/metrics"]', 'main [aria-labelledby="periods-title"] table'),
    ('nav a[href="/"]', "main .canvas canvas"),
)
WALK = """async ([ways, rounds, patience]) => {
  const end = Date.now() + patience;
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done)));
  const seen = async (what) => {
    for (;;) {
      const found = document.querySelector(".skeleton") ? null : document.querySelector(what);
      if (found) return found;
      if (Date.now() > end) throw new Error(`never seen: ${what}`);
      await painted();
    }
  };
  for (let round = 0; round < rounds; round += 1)
    for (const [pressed, shown] of ways) {
      (await seen(pressed)).click();
      await painted();
      await seen(shown);
      await painted();
    }
}"""
PLAIN = "function () { return this.filter((one) => Object.getPrototypeOf(one) === Object.prototype).length; }"


class Left(NamedTuple):
    """What the tab holds after a walk."""

    cost: Cost
    objects: int

    def fits(self, before: Left) -> bool:
        """Whether the walk left nothing behind; a few objects may be those of the moment."""
        return self.cost.fits(before.cost) and self.objects - before.objects <= A_FEW


def walk(screen: Screen, rounds: int) -> Left:
    """Go through all screens `rounds` times, beginning and ending with the overview."""
    screen.page.evaluate(WALK, [WAYS, rounds, PATIENCE])
    return Left(screen.cost(), _objects(screen))


def _objects(screen: Screen) -> int:
    """How many plain objects the page's scripts hold: the smallest thing that a framework can forget."""
    prototype = _remote(screen, "evaluate", expression="Object.prototype")["result"]["objectId"]
    found = _remote(screen, "queryObjects", prototypeObjectId=prototype)["objects"]["objectId"]
    number = _remote(screen, "callFunctionOn", objectId=found, functionDeclaration=PLAIN, returnByValue=True)
    for held in (prototype, found):
        _remote(screen, "releaseObject", objectId=held)
    return int(number["result"]["value"])


def _remote(screen: Screen, method: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = screen.devtools.send(f"Runtime.{method}", params)
    return answer
