"""A simulated shop that looks like a real one: for a first look, for pictures and for trying things out.

`catalogue` says what it sells, `shop` is a pure simulation (a seed and a moment give the events up to it), `baskets`
is the small stir of people looking, `keeping` and `running` put it into a data directory and keep it going. Nothing
here is ever mixed with real data: it has its own source, its own directory, and the screen says that it is simulated.
"""

from typing import Final

SOURCE: Final = "demo"
