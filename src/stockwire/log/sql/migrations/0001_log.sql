-- The log, the rows folded from it, and what happened. Scaled integers and moments in INTEGER columns (core/values.py).

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

INSERT INTO facts VALUES ('version', 0), ('horizon', 0), ('clock', 0), ('config', NULL);

CREATE TABLE events (
    version INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    time INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source, id)
) STRICT;

CREATE TABLE parked (
    version INTEGER PRIMARY KEY,
    error TEXT NOT NULL
) STRICT;

CREATE TABLE inventory (
    sku TEXT NOT NULL,
    location TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    on_hand INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    quality_control INTEGER NOT NULL,
    safety_stock INTEGER NOT NULL,
    incoming INTEGER NOT NULL,
    reorder_point INTEGER,
    reorder_quantity INTEGER,
    overstock_point INTEGER,
    unit_cost INTEGER,
    currency TEXT,
    tracked INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_updated_at INTEGER NOT NULL,
    counted_at INTEGER,
    absolute_at INTEGER,
    changed_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sku, location)
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    reorder_point INTEGER,
    reorder_quantity INTEGER,
    safety_stock INTEGER,
    overstock_point INTEGER,
    unit_cost INTEGER,
    currency TEXT,
    tracked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE locations (
    location TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `row` holds the order whole; the other columns are what lists filter and sort by. `shown`: the orders feed has it.
CREATE TABLE orders (
    order_id TEXT NOT NULL UNIQUE,
    shown INTEGER NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    payment_status TEXT NOT NULL,
    location TEXT NOT NULL,
    currency TEXT NOT NULL,
    source TEXT NOT NULL,
    customer_id TEXT,
    customer_name TEXT,
    country TEXT,
    channel TEXT,
    note TEXT,
    placed_at INTEGER NOT NULL,
    status_since INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    promised_at INTEGER,
    at_risk_at INTEGER,
    due_at INTEGER,
    lateness TEXT NOT NULL,
    hold_reason TEXT,
    hold_since INTEGER,
    gross INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    shipping INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    total INTEGER NOT NULL,
    credited INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    units INTEGER NOT NULL,
    units_shipped INTEGER NOT NULL,
    units_cancelled INTEGER NOT NULL,
    units_returned INTEGER NOT NULL,
    irregular INTEGER NOT NULL,
    version INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT;

CREATE INDEX orders_shown ON orders (order_id) WHERE shown = 1;
CREATE INDEX orders_placed ON orders (placed_at, order_id);

CREATE TABLE metrics (
    metric TEXT NOT NULL,
    period TEXT NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (metric, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE minutes (
    minute INTEGER PRIMARY KEY,
    orders_placed INTEGER NOT NULL,
    units_sold INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    discounts INTEGER NOT NULL,
    returns INTEGER NOT NULL,
    shipping INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    other_currency_orders INTEGER NOT NULL
) STRICT;

CREATE TABLE hours (
    start INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    orders_placed INTEGER NOT NULL,
    units_sold INTEGER NOT NULL,
    gross_sales INTEGER NOT NULL,
    discounts INTEGER NOT NULL,
    returns INTEGER NOT NULL,
    shipping INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    orders_open INTEGER,
    orders_late INTEGER,
    orders_at_risk INTEGER,
    out_of_stock_count INTEGER,
    oversold_count INTEGER,
    low_stock_count INTEGER,
    inventory_value INTEGER
) STRICT;

CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    newest_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Appended in the order of the log. The index finds a row's movements newest first, and those after a moment, without
-- touching the others.
CREATE TABLE movements (
    version INTEGER NOT NULL,
    step INTEGER NOT NULL,
    sku TEXT NOT NULL,
    location TEXT NOT NULL,
    type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    on_hand INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    quality_control INTEGER NOT NULL,
    safety_stock INTEGER NOT NULL,
    incoming INTEGER NOT NULL,
    on_hand_after INTEGER NOT NULL,
    reason TEXT,
    document TEXT,
    order_id TEXT,
    note TEXT,
    superseded INTEGER NOT NULL
) STRICT;

CREATE INDEX movements_of_row ON movements (sku, location, version, step, occurred_at);

CREATE TABLE timeline (
    version INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT,
    irregular INTEGER NOT NULL,
    skipped TEXT NOT NULL,
    derived TEXT NOT NULL,
    text TEXT,
    document TEXT
) STRICT;

CREATE INDEX timeline_of_order ON timeline (order_id);

-- Keys that a feed lost, kept for cursors older than that. `key` is a JSON array of texts.
CREATE TABLE tombstones (
    feed TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (feed, key)
) STRICT, WITHOUT ROWID;
