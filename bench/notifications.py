"""The notifications of a real wholesaler's year, as the built-in rules make them: how many, of what, and on which days.

Run as `python bench/notifications.py`; it needs the real files in ../shared/data. Imports the year with the derived opening stock
into a temporary data directory (`--data-dir DIR` takes one that is there) and reads what its log says was to be told. Writes
bench/results/notifications.md.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from stockwire.core.rows import Told
from stockwire.core.values import moment_datetime
from stockwire.log.sqlite import SqliteLog

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
YEAR = DATA / "online_retail_dev_2009-12_2010-11.csv.gz"
OPENING = DATA / "derived_opening_stock_dev.csv.gz"
ZONE = ZoneInfo("Europe/London")
EVERY = 1_000_000
DAYS_SHOWN = 8


def imported(data_dir: str) -> None:
    arguments = [sys.executable, "-m", "stockwire", "import", str(YEAR), "--format", "online-retail"]
    subprocess.run([*arguments, "--opening-stock", str(OPENING), "--data-dir", data_dir], check=True)


def day_of(told: Told) -> date:
    return moment_datetime(told[0].at).astimezone(ZONE).date()


def report(data_dir: Path) -> str:
    """What was to be told, as a page."""
    log = SqliteLog(data_dir, reading=True)
    try:
        told, events = log.occasions(0, EVERY), log.counts().events
        rules = {row.rule_id: row for row in log.load().rules.values()}
    finally:
        log.close()
    fired = [each for each in told if each[0].happened == "fired"]
    days = Counter(map(day_of, fired))
    first, last = min(days), max(days)
    every = [days[first + timedelta(number)] for number in range((last - first).days + 1)]
    lines = [
        "# A year of notifications",
        "",
        "`python bench/notifications.py`: the Online Retail year with the derived opening stock, by the rules of a fresh log. "
        "The import says nothing of how far an order has come, so no order is late, and metrics and silences are watched by a "
        "running server only.",
        "",
        f"{events:,} events on {len(every)} days made {len(fired):,} notifications that something fires and "
        f"{len(told) - len(fired):,} that it is over. A day has {statistics.median(every):g} of the first in the median and "
        f"{max(every)} at most; {sum(count == 0 for count in every)} days have none.",
        "",
        "| rule | severity | fired | days with one | most on a day | over | members, median | most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_rule: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        by_rule[each[1].rule_id].append(each)
    for rule_id in sorted(rules):
        if not rules[rule_id].enabled:
            continue
        mine = [each for each in by_rule[rule_id] if each[0].happened == "fired"]
        over = len(by_rule[rule_id]) - len(mine)
        on = Counter(map(day_of, mine))
        members = [row.count for _, row in mine] or [0]
        most = max(on.values(), default=0)
        lines.append(
            f"| {rules[rule_id].name} | {rules[rule_id].severity} | {len(mine)} | {len(on)} | {most} | {over} "
            f"| {statistics.median(members):g} | {max(members)} |"
        )
    lines += ["", "The days with most:", "", "| day | fired | of which |", "|---|---|---|"]
    for day, count in days.most_common(DAYS_SHOWN):
        kinds = Counter(
            row.rule_id.removeprefix("default-") for occasion, row in fired if day_of((occasion, row)) == day
        )
        lines.append(f"| {day} | {count} | {', '.join(f'{kind} {number}' for kind, number in kinds.most_common())} |")
    lines += ["", "The first ten of each rule, as they were told:", "", "| at | rule | what | how many | value | against |",
              "|---|---|---|---|---|---|"]  # fmt: skip
    for rule_id in sorted(rules):
        for occasion, row in [each for each in by_rule[rule_id] if each[0].happened == "fired"][:10]:
            at = moment_datetime(occasion.at).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
            lines.append(
                f"| {at} | {rules[rule_id].name} | {row.name or row.subject} | {row.count} | {row.value} | {row.threshold or ''} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args().data_dir
    with tempfile.TemporaryDirectory(prefix="stockwire-bench-") as made:
        if given is None:
            imported(made)
        page = report(given or Path(made))
    (HERE / "results" / "notifications.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
