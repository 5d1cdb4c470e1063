-- Every statement the SQLite log runs, but for lists of orders, whose filter and order are the reader's (listing.py).
-- A block begins with its name; column lists follow codec.py.

-- Facts

-- name: fact
SELECT value FROM facts WHERE name = ?;

-- name: put_fact
REPLACE INTO facts (name, value) VALUES (?, ?);

-- Events

-- name: add_event
INSERT INTO events (version, source, id, type, time, recorded_at, subject, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: known_event
SELECT source, id, version FROM events WHERE source = ? AND id = ?;

-- name: events_after
SELECT version, recorded_at, source, id, type, time, body FROM events WHERE version > ? ORDER BY version LIMIT ?;

-- name: newest_recorded
SELECT recorded_at FROM events ORDER BY version DESC LIMIT 1;

-- name: recorded_by
SELECT 1 FROM events WHERE version = ? AND recorded_at <= ?;

-- name: heard_since
SELECT source, min(recorded_at) AS first, max(recorded_at), max(time)
FROM events WHERE version > ?1 AND source <> ?2 AND recorded_at > ?3
GROUP BY source, recorded_at / ?4 ORDER BY first, source;

-- The ids of verifications begin with the word, so that the index leads to them.

-- name: verified_since
SELECT version, recorded_at, source, id, type, time, body
FROM events WHERE source = ? AND id >= 'verified-' AND id < 'verified.' AND type = ? AND recorded_at > ?
ORDER BY version;

-- name: add_parked
INSERT INTO parked (
    version, error
) VALUES (?, ?);

-- Rows

-- name: put_inventory
REPLACE INTO inventory (
    sku, location, version, name, on_hand, committed, reserved, damaged, quality_control, safety_stock,
    incoming, reorder_point, reorder_quantity, overstock_point, unit_cost, currency, tracked, source,
    source_updated_at, counted_at, absolute_at, changed_at, updated_at, since, sold_days, sold
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete_inventory
DELETE FROM inventory WHERE sku = ? AND location = ?;

-- name: all_inventory
SELECT sku, location, version, name, on_hand, committed, reserved, damaged, quality_control, safety_stock,
    incoming, reorder_point, reorder_quantity, overstock_point, unit_cost, currency, tracked, source,
    source_updated_at, counted_at, absolute_at, changed_at, updated_at, since, sold_days, sold
FROM inventory ORDER BY sku, location;

-- name: inventory_after
SELECT sku, location, version, name, on_hand, committed, reserved, damaged, quality_control, safety_stock,
    incoming, reorder_point, reorder_quantity, overstock_point, unit_cost, currency, tracked, source,
    source_updated_at, counted_at, absolute_at, changed_at, updated_at, since, sold_days, sold
FROM inventory WHERE (sku, location) > (?, ?) ORDER BY sku, location LIMIT ?;

-- name: put_products
REPLACE INTO products (
    sku, version, name, reorder_point, reorder_quantity, safety_stock, overstock_point, unit_cost, currency,
    tracked
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete_products
DELETE FROM products WHERE sku = ?;

-- name: all_products
SELECT sku, version, name, reorder_point, reorder_quantity, safety_stock, overstock_point, unit_cost, currency,
    tracked
FROM products ORDER BY sku;

-- name: products_after
SELECT sku, version, name, reorder_point, reorder_quantity, safety_stock, overstock_point, unit_cost, currency,
    tracked
FROM products WHERE sku > ? ORDER BY sku LIMIT ?;

-- name: put_locations
REPLACE INTO locations (
    location, name
) VALUES (?, ?);

-- name: delete_locations
DELETE FROM locations WHERE location = ?;

-- name: all_locations
SELECT location, name FROM locations ORDER BY location;

-- name: locations_after
SELECT location, name FROM locations WHERE location > ? ORDER BY location LIMIT ?;

-- name: put_orders
INSERT INTO orders (
    shown, reached_at, order_id, number, status, payment_status, location, currency, source, customer_id, customer_name,
    country, channel, note, placed_at, status_since, updated_at, closed_at, promised_at, at_risk_at, due_at,
    lateness, hold_reason, hold_since, gross, discount, shipping, tax, total, credited, line_count, units,
    units_shipped, units_cancelled, units_returned, irregular, version, row
) VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
)
ON CONFLICT (order_id) DO UPDATE SET
    shown = excluded.shown, reached_at = excluded.reached_at, number = excluded.number, status = excluded.status,
    payment_status = excluded.payment_status, location = excluded.location, currency = excluded.currency,
    source = excluded.source, customer_id = excluded.customer_id, customer_name = excluded.customer_name,
    country = excluded.country, channel = excluded.channel, note = excluded.note,
    placed_at = excluded.placed_at, status_since = excluded.status_since, updated_at = excluded.updated_at,
    closed_at = excluded.closed_at, promised_at = excluded.promised_at, at_risk_at = excluded.at_risk_at,
    due_at = excluded.due_at, lateness = excluded.lateness, hold_reason = excluded.hold_reason,
    hold_since = excluded.hold_since, gross = excluded.gross, discount = excluded.discount,
    shipping = excluded.shipping, tax = excluded.tax, total = excluded.total,
    credited = excluded.credited, line_count = excluded.line_count, units = excluded.units,
    units_shipped = excluded.units_shipped, units_cancelled = excluded.units_cancelled, units_returned = excluded.units_returned,
    irregular = excluded.irregular, version = excluded.version, row = excluded.row;

-- name: delete_orders
DELETE FROM orders WHERE order_id = ?;

-- name: hide_order
UPDATE orders SET shown = 0 WHERE order_id = ? AND shown = 1;

-- name: shown_orders
SELECT row FROM orders WHERE shown = 1 ORDER BY order_id;

-- name: orders_moved_since
SELECT row FROM orders WHERE reached_at >= ?;

-- name: orders_moved_since_at_most
SELECT row FROM orders WHERE reached_at >= ? LIMIT ?;

-- name: one_order
SELECT row FROM orders WHERE order_id = ?;

-- name: orders_after
SELECT order_id, row FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ?;

-- name: put_metrics
REPLACE INTO metrics (metric, period, row) VALUES (?, ?, ?);

-- name: delete_metrics
DELETE FROM metrics WHERE metric = ? AND period = ?;

-- name: all_metrics
SELECT row FROM metrics ORDER BY metric, period;

-- name: metrics_after
SELECT metric, period, row FROM metrics WHERE (metric, period) > (?, ?) ORDER BY metric, period LIMIT ?;

-- name: put_minutes
REPLACE INTO minutes (
    minute, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, other_currency_orders,
    units_fulfilled, on_hand_change, counts, counts_exact
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete_minutes
DELETE FROM minutes WHERE minute = ?;

-- name: minutes_from
SELECT minute, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, other_currency_orders,
    units_fulfilled, on_hand_change, counts, counts_exact
FROM minutes WHERE minute >= ? ORDER BY minute;

-- name: one_minute
SELECT minute, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, other_currency_orders,
    units_fulfilled, on_hand_change, counts, counts_exact
FROM minutes WHERE minute = ?;

-- name: minutes_after
SELECT minute, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, other_currency_orders,
    units_fulfilled, on_hand_change, counts, counts_exact
FROM minutes WHERE minute > ? ORDER BY minute LIMIT ?;

-- Sums in two halves of 32 bits: each stays far from the limits of 64, so no sum of however many minutes overflows.

-- name: sales
SELECT sum(orders_placed >> 32), sum(orders_placed & 4294967295),
    sum(units_sold >> 32), sum(units_sold & 4294967295),
    sum(gross_sales >> 32), sum(gross_sales & 4294967295),
    sum(discounts >> 32), sum(discounts & 4294967295),
    sum(returns >> 32), sum(returns & 4294967295),
    sum(shipping >> 32), sum(shipping & 4294967295),
    sum(tax >> 32), sum(tax & 4294967295),
    sum(other_currency_orders >> 32), sum(other_currency_orders & 4294967295),
    sum(units_fulfilled >> 32), sum(units_fulfilled & 4294967295),
    sum(on_hand_change >> 32), sum(on_hand_change & 4294967295),
    sum(counts >> 32), sum(counts & 4294967295),
    sum(counts_exact >> 32), sum(counts_exact & 4294967295)
FROM minutes WHERE minute >= ? AND minute < ?;

-- name: put_hours
REPLACE INTO hours (
    start, version, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, orders_open,
    orders_late, orders_at_risk, out_of_stock_count, oversold_count, low_stock_count, inventory_value
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete_hours
DELETE FROM hours WHERE start = ?;

-- name: all_hours
SELECT start, version, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, orders_open,
    orders_late, orders_at_risk, out_of_stock_count, oversold_count, low_stock_count, inventory_value
FROM hours ORDER BY start;

-- name: hours_after
SELECT start, version, orders_placed, units_sold, gross_sales, discounts, returns, shipping, tax, orders_open,
    orders_late, orders_at_risk, out_of_stock_count, oversold_count, low_stock_count, inventory_value
FROM hours WHERE start > ? ORDER BY start LIMIT ?;

-- name: put_sources
REPLACE INTO sources (
    source, version, newest_at, recorded_at, events
) VALUES (?, ?, ?, ?, ?);

-- name: delete_sources
DELETE FROM sources WHERE source = ?;

-- name: all_sources
SELECT source, version, newest_at, recorded_at, events
FROM sources ORDER BY source;

-- name: sources_after
SELECT source, version, newest_at, recorded_at, events
FROM sources WHERE source > ? ORDER BY source LIMIT ?;

-- Notices

-- name: put_rules
REPLACE INTO rules (rule_id, row) VALUES (?, ?);

-- name: delete_rules
DELETE FROM rules WHERE rule_id = ?;

-- name: all_rules
SELECT row FROM rules ORDER BY rule_id;

-- name: rules_after
SELECT rule_id, row FROM rules WHERE rule_id > ? ORDER BY rule_id LIMIT ?;

-- name: put_notifications
REPLACE INTO notifications (notification_id, row) VALUES (?, ?);

-- name: delete_notifications
DELETE FROM notifications WHERE notification_id = ?;

-- name: all_notifications
SELECT row FROM notifications ORDER BY notification_id;

-- name: notifications_after
SELECT notification_id, row FROM notifications WHERE notification_id > ? ORDER BY notification_id LIMIT ?;

-- name: put_people
REPLACE INTO people (person, row) VALUES (?, ?);

-- name: delete_people
DELETE FROM people WHERE person = ?;

-- name: all_people
SELECT row FROM people ORDER BY person;

-- name: people_after
SELECT person, row FROM people WHERE person > ? ORDER BY person LIMIT ?;

-- name: put_conditions
REPLACE INTO conditions (rule_id, subject, row) VALUES (?, ?, ?);

-- name: delete_conditions
DELETE FROM conditions WHERE rule_id = ? AND subject = ?;

-- name: all_conditions
SELECT row FROM conditions ORDER BY rule_id, subject;

-- name: conditions_after
SELECT rule_id, subject, row FROM conditions WHERE (rule_id, subject) > (?, ?) ORDER BY rule_id, subject LIMIT ?;

-- name: add_occasion
INSERT INTO occasions (version, notification_id, happened, at, recorded_at, row) VALUES (?, ?, ?, ?, ?, ?);

-- name: occasions_of_versions_after
SELECT version, notification_id, happened, at, recorded_at, row FROM occasions
WHERE version > ?1 AND version <= coalesce(
    (SELECT version FROM occasions WHERE version > ?1 ORDER BY version LIMIT 1 OFFSET ?2 - 1), 9223372036854775807
) ORDER BY version, notification_id, happened;

-- name: occasions_after
SELECT version, notification_id, happened, at, recorded_at, row FROM occasions
WHERE (version, notification_id, happened) > (?, ?, ?) ORDER BY version, notification_id, happened LIMIT ?;

-- What happened

-- name: add_movement
INSERT INTO movements (
    version, step, sku, location, type, occurred_at, recorded_at, source, on_hand, committed, reserved,
    damaged, quality_control, safety_stock, incoming, on_hand_after, reason, document, order_id, note,
    superseded
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: newest_movements
SELECT version, step, sku, location, type, occurred_at, recorded_at, source, on_hand, committed, reserved,
    damaged, quality_control, safety_stock, incoming, on_hand_after, reason, document, order_id, note,
    superseded
FROM movements WHERE sku = ? AND location = ? AND (version, step) < (?, ?)
ORDER BY version DESC, step DESC LIMIT ?;

-- name: moved_since
SELECT version, step, sku, location, type, occurred_at, recorded_at, source, on_hand, committed, reserved,
    damaged, quality_control, safety_stock, incoming, on_hand_after, reason, document, order_id, note,
    superseded
FROM movements WHERE occurred_at > ? ORDER BY rowid DESC LIMIT ?;

-- name: deltas_after
SELECT on_hand, committed, reserved, damaged, quality_control, safety_stock, incoming
FROM movements WHERE sku = ? AND location = ? AND occurred_at > ? AND version <= ?;

-- name: movements_after
SELECT rowid, version, step, sku, location, type, occurred_at, recorded_at, source, on_hand, committed, reserved,
    damaged, quality_control, safety_stock, incoming, on_hand_after, reason, document, order_id, note,
    superseded
FROM movements WHERE rowid > ? ORDER BY rowid LIMIT ?;

-- name: add_timeline
INSERT INTO timeline (
    version, order_id, type, occurred_at, recorded_at, source, from_status, to_status, irregular, skipped,
    derived, text, document
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: timeline_of
SELECT version, order_id, type, occurred_at, recorded_at, source, from_status, to_status, irregular, skipped,
    derived, text, document
FROM timeline WHERE order_id = ? ORDER BY rowid;

-- name: stepped_since
SELECT version, order_id, type, occurred_at, recorded_at, source, from_status, to_status, irregular, skipped,
    derived, text, document
FROM timeline WHERE occurred_at > ? ORDER BY rowid DESC LIMIT ?;

-- name: timeline_after
SELECT rowid, version, order_id, type, occurred_at, recorded_at, source, from_status, to_status, irregular,
    skipped, derived, text, document
FROM timeline WHERE rowid > ? ORDER BY rowid LIMIT ?;

-- name: parked_after
SELECT version, error FROM parked WHERE version > ? ORDER BY version LIMIT ?;

-- Tombstones

-- name: put_tombstone
REPLACE INTO tombstones (feed, key, version, recorded_at) VALUES (?, ?, ?, ?);

-- name: tombstones
SELECT feed, key, version FROM tombstones;

-- name: newest_old_tombstone
SELECT max(version) FROM tombstones WHERE recorded_at <= ?;

-- name: drop_tombstones
DELETE FROM tombstones WHERE version <= ?;

-- name: counts
SELECT
    (SELECT count(*) FROM events),
    (SELECT count(*) FROM inventory),
    (SELECT count(*) FROM products),
    (SELECT count(*) FROM orders),
    (SELECT count(*) FROM orders WHERE shown = 1 AND closed_at IS NULL),
    (SELECT count(*) FROM movements),
    (SELECT count(*) FROM parked);

-- The journal

-- name: add_journal
INSERT INTO journal (version, since, body) VALUES (?, ?, ?);

-- name: journal_after
SELECT since, version, body FROM journal WHERE version > ? ORDER BY version LIMIT ?;

-- name: trim_journal
DELETE FROM journal WHERE version <= ?
    OR version <= (SELECT version FROM journal ORDER BY version DESC LIMIT 1 OFFSET ?);

-- name: clear_journal
DELETE FROM journal;
