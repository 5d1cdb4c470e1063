"""What the metrics are called in English and German, in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

METRIC_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "net_sales": ("Net sales", "Nettoumsatz"),
    "gross_sales": ("Gross sales", "Bruttoumsatz"),
    "total_sales": ("Total sales", "Gesamtumsatz"),
    "orders_placed": ("Orders placed", "Bestellungen"),
    "orders_per_minute": ("Orders per minute", "Bestellungen je Minute"),
    "units_sold": ("Units sold", "Verkaufte Stück"),
    "average_order_value": ("Average order value", "Wert je Bestellung"),
    "orders_open": ("Open orders", "Offene Bestellungen"),
    "orders_late": ("Late orders", "Überfällige Bestellungen"),
    "orders_at_risk": ("Orders at risk", "Gefährdete Bestellungen"),
    "oldest_open_age": ("Oldest open order", "Älteste offene Bestellung"),
    "stockout_rate": ("Stockout rate", "Fehlbestandsquote"),
    "out_of_stock_count": ("Out of stock", "Nicht vorrätig"),
    "oversold_count": ("Oversold", "Überverkauft"),
    "low_stock_count": ("Low stock", "Knapper Bestand"),
    "inventory_value": ("Inventory value", "Bestandswert"),
    "source_lag": ("Source lag", "Rückstand der Quellen"),
    "order_cycle_time": ("Order cycle time", "Durchlaufzeit"),
    "order_cycle_time_p90": ("Order cycle time, slowest tenth", "Durchlaufzeit, langsamstes Zehntel"),
    "on_time_ship_rate": ("Shipped on time", "Pünktlich versandt"),
    "fill_rate": ("Fill rate", "Erfüllungsquote"),
    "backlog_hours": ("Backlog", "Auftragsbestand"),
    "cancellation_rate": ("Cancellation rate", "Stornoquote"),
    "return_rate": ("Return rate", "Rücksendequote"),
    "days_of_cover": ("Days of cover", "Reichweite"),
    "sell_through": ("Sell-through", "Abverkaufsquote"),
    "inventory_accuracy": ("Inventory accuracy", "Bestandsgenauigkeit"),
    "drift": ("Drift", "Abweichung"),
    "last_verified_at": ("Last verified", "Zuletzt geprüft"),
    "delivery_lag": ("Delivery lag", "Lieferverzug"),
}
