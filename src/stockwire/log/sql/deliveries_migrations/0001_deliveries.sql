-- Receivers (channels and browsers), and what was, is and will be sent to them. Addresses and secrets are here alone.

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
    channel_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    person TEXT NOT NULL,
    address TEXT NOT NULL,
    secret TEXT,
    language TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    note TEXT,
    created_at INTEGER NOT NULL,
    last_sent_at INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    subscription_id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    language TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_sent_at INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;

-- `receiver` is a channel's id or a subscription's. `entry` is the notification as it was to be told, in JSON.
CREATE TABLE deliveries (
    delivery_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    person TEXT NOT NULL,
    happened TEXT NOT NULL,
    notification_id TEXT,
    entry BLOB,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    held_for TEXT,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    digest TEXT
) STRICT;

CREATE INDEX deliveries_due ON deliveries (state, receiver, due_at);
CREATE INDEX deliveries_of_notification ON deliveries (receiver, notification_id, delivery_id);
CREATE INDEX deliveries_of_digest ON deliveries (digest) WHERE digest IS NOT NULL;

-- Receivers that asked to be left alone for a while.
CREATE TABLE pauses (
    receiver TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
