"""`python -m stockwire` is `stockwire`."""

from stockwire.cli import main

main()
