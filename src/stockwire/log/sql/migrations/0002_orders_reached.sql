-- The newest moment of each order's way, so that a start finds the orders that moved lately.

ALTER TABLE orders ADD COLUMN reached_at INTEGER NOT NULL DEFAULT 0;

UPDATE orders SET reached_at = max(placed_at, status_since);

CREATE INDEX orders_reached ON orders (reached_at);
