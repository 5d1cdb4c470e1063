"""A wall display by a clock that is put forward: each step is the turn of the next panel.

Which panel it is follows from the clock alone, so hours of turns fit into minutes. The page's own second hand goes faster
as well, or each turn would wait for it. Stock moves all the while, on the panels that are shown and on those that are not.
"""

from __future__ import annotations

from tests.connection.screen import ALONE, PATIENCE, Cost, Screen
from tests.running import Running, event, snapshot

PANELS = 3
TURN_SECONDS = 30
A_NIGHT = 8 * 3600 // TURN_SECONDS
PATH = f"/wall?rotate={TURN_SECONDS}"
PRODUCTS = 24
AHEAD = f"""
  {ALONE}
  const real = Date.now;
  let ahead = 0;
  Date.now = () => real() + ahead;
  window.putForward = () => (ahead += {TURN_SECONDS * 1000});
  const every = window.setInterval;
  window.setInterval = (run, wait, ...given) => every(run, wait / 20, ...given);
"""
TURNS = """async ([turns, patience]) => {
  const end = performance.now() + patience;
  const shown = () => document.querySelector("main").ariaLabel;
  for (let turn = 0; turn < turns; turn += 1) {
    const before = shown();
    putForward();
    while (shown() === before) {
      if (performance.now() > end) throw new Error(`never turned from ${before}`);
      await new Promise((painted) => requestAnimationFrame(() => requestIdleCallback(painted)));
    }
  }
}"""


def stocked(server: Running) -> None:
    """Fill both lists of the wall: as many oversold products and open orders as it shows, and more."""
    line = {"sku": "SKU-00", "quantity": 1, "unit_price": "6.95"}
    server.post(
        *(snapshot(f"SKU-{number:02}", -5) for number in range(PRODUCTS)),
        *(event("order.placed", order_id=f"A-{number:02}", currency="EUR", lines=[line]) for number in range(PRODUCTS)),
    )


def turn(screen: Screen, server: Running, rounds: int) -> None:
    """Show each panel `rounds` times, ending with the one that it began with; every product moves in each round."""
    for number in range(rounds):
        quantity = 1 if number % 2 == 0 else -1
        server.post(
            *(
                event("stock.adjusted", sku=f"SKU-{at:02}", quantity=quantity, reason="correction")
                for at in range(PRODUCTS)
            )
        )
        screen.page.evaluate(TURNS, [PANELS, PATIENCE])


def lose_the_line(screen: Screen) -> None:
    """Have the tab be without a network for as long as it takes to notice."""
    screen.page.context.set_offline(True)
    screen.level("offline", "reconnecting")
    screen.page.context.set_offline(False)
    screen.level("live")


def rested(screen: Screen) -> Cost:
    """What the tab holds, by the panel of numbers."""
    while screen.page.locator("main").get_attribute("aria-label") != "Today":
        screen.page.evaluate(TURNS, [1, PATIENCE])
    screen.level("live")
    return screen.cost()
