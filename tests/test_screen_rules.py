"""The rules of the screens name tests that exist: docs/reference/screen-rules.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/screen-rules.md").read_text()
RULES = re.findall(r"^\| (?!rule \||---)(.+?) \| (.+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("rule", "shown"), RULES, ids=[rule for rule, _ in RULES])
def test_every_rule_of_the_screens_is_shown_by_tests_that_exist(rule: str, shown: str) -> None:
    for one in shown.split("; "):
        named = re.fullmatch(r"`([\w./-]+)` (.+)", one)
        assert named is not None, one
        text = (ROOT / named[1]).read_text()
        assert f"def {named[2]}(" in text or f'"{named[2]}"' in text or f' {named[2]}"' in text, one


def test_there_are_rules() -> None:
    assert len(RULES) > 30
