"""Stockwire: live stock, orders and key numbers on every screen, never wrong and never silently old."""

__version__ = "0.1.0"
