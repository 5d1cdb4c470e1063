"""Where everything is kept: the log of events, the rows folded from it, and who may come in."""
