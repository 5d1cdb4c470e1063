"""Looks into a built wheel: does it carry all that a person who installs it needs?

The page is generated and ignored by version control, and SQL files are no Python: both go missing silently
when packaging rules change.
"""

import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

PAGE = "stockwire/dashboard/"
NEEDED = (f"{PAGE}index.html", f"{PAGE}docs/swagger-ui-bundle.js", f"{PAGE}docs/swagger-ui.css")


def missing(names: Iterable[str], page: str) -> list[str]:
    """Names what a wheel with these files lacks; ``page`` is the text of its index.html."""
    present = set(names)
    linked = re.findall(r'(?:src|href)="/([^"]+)"', page)
    return [name for name in (*NEEDED, *(PAGE + link for link in linked)) if name not in present]


def sources() -> list[str]:
    """Every file of the package in the tree that is neither generated nor compiled: the wheel is for every machine."""
    root = Path("src")
    return [
        path.relative_to(root).as_posix()
        for path in root.glob("stockwire/**/*")
        if path.is_file() and path.suffix not in (".pyc", ".so") and "dashboard" not in path.parts
    ]


def main(path: str) -> int:
    """Prints what the wheel lacks; 0 when nothing."""
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        page = wheel.read(NEEDED[0]).decode() if NEEDED[0] in names else ""
    lacking = missing(names, page) + [name for name in sources() if name not in names]
    for name in lacking:
        print(f"{path} lacks {name}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
