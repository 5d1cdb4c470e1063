"""What the shop of these tests has: ten products, 1,000 of each when a test begins."""

from __future__ import annotations

from tests.running import Running, event, snapshot

PRODUCTS = 10
STOCK = 1000


def restock(server: Running) -> None:
    """Every product is there as at the beginning."""
    server.post(*(snapshot(f"SKU-{number}", STOCK) for number in range(PRODUCTS)))


def sell(server: Running, number: int, quantity: int = 1) -> None:
    """So many of a product are gone."""
    server.post(event("stock.adjusted", sku=f"SKU-{number}", quantity=-quantity, reason="correction"))
