"""The pure core: what Stockwire decides. No I/O, no clock, no randomness, no asyncio; time and ids are arguments."""
