"""`python -m tests.fuzz [options of libFuzzer] DIRECTORY ...`: Atheris on all harnesses in turn, as inputs choose."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["stockwire", "wsproto"]):
    from tests.fuzz.harnesses import any_of_them

atheris.Setup(sys.argv, any_of_them)
atheris.Fuzz()
