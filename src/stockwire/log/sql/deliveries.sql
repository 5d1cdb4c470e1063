-- Every statement of deliveries.db.

-- name: fact
SELECT value FROM facts WHERE name = ?;

-- name: set_fact
INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: keep_fact
INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: channels
SELECT channel_id, kind, name, person, address, secret, language, enabled, note, created_at, last_sent_at, last_error
FROM channels ORDER BY created_at, channel_id;

-- name: channel
SELECT channel_id, kind, name, person, address, secret, language, enabled, note, created_at, last_sent_at, last_error
FROM channels WHERE channel_id = ?;

-- name: put_channel
INSERT INTO channels
    (channel_id, kind, name, person, address, secret, language, enabled, note, created_at, last_sent_at, last_error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel_id) DO UPDATE SET
    name = excluded.name, address = excluded.address, secret = excluded.secret, language = excluded.language,
    enabled = excluded.enabled, note = excluded.note;

-- name: remove_channel
DELETE FROM channels WHERE channel_id = ?;

-- name: turn_off_channel
UPDATE channels SET enabled = 0, note = ?2 WHERE channel_id = ?1;

-- name: note_channel_sent
UPDATE channels SET last_sent_at = ?2, last_error = NULL WHERE channel_id = ?1;

-- name: note_channel_failed
UPDATE channels SET last_error = ?2 WHERE channel_id = ?1;

-- name: subscriptions
SELECT subscription_id, person, endpoint, p256dh, auth, language, device, created_at, last_sent_at, last_error
FROM subscriptions ORDER BY created_at, subscription_id;

-- name: subscription
SELECT subscription_id, person, endpoint, p256dh, auth, language, device, created_at, last_sent_at, last_error
FROM subscriptions WHERE subscription_id = ?;

-- name: put_subscription
INSERT INTO subscriptions
    (subscription_id, person, endpoint, p256dh, auth, language, device, created_at, last_sent_at, last_error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subscription_id) DO UPDATE SET
    person = excluded.person, p256dh = excluded.p256dh, auth = excluded.auth, language = excluded.language,
    device = excluded.device, last_error = NULL;

-- name: remove_subscription
DELETE FROM subscriptions WHERE subscription_id = ?;

-- name: note_subscription_sent
UPDATE subscriptions SET last_sent_at = ?2, last_error = NULL WHERE subscription_id = ?1;

-- name: note_subscription_failed
UPDATE subscriptions SET last_error = ?2 WHERE subscription_id = ?1;

-- name: add_delivery
-- That something is over is told only where it was told, or will be, that it began.
INSERT INTO deliveries
    (key, receiver, channel_id, person, happened, notification_id, entry, at, state, held_for, due_at, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
WHERE ?5 <> 'resolved' OR EXISTS (
    SELECT 1 FROM deliveries
    WHERE receiver = ?2 AND notification_id = ?6 AND happened IN ('fired', 'unsnoozed')
        AND state IN ('waiting', 'sending', 'sent', 'digested')
)
ON CONFLICT (key) DO NOTHING;

-- name: bury_surplus
UPDATE deliveries SET state = 'dead', error = ?3, finished_at = ?4
WHERE delivery_id IN (
    SELECT delivery_id FROM deliveries WHERE receiver = ?1 AND state IN ('waiting', 'held')
    ORDER BY delivery_id DESC LIMIT -1 OFFSET ?2
);

-- name: due
-- One for each receiver that is not left alone: what is due longest, but nothing before what came earlier of the same.
SELECT delivery_id, receiver, min(due_at) FROM deliveries AS one
WHERE state = 'waiting' AND due_at <= ?1
    AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.receiver = one.receiver AND until > ?1 AND until <= ?2)
    AND NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier
        WHERE earlier.receiver = one.receiver AND earlier.notification_id = one.notification_id
            AND earlier.delivery_id < one.delivery_id AND earlier.state IN ('waiting', 'sending')
    )
GROUP BY receiver ORDER BY min(due_at), delivery_id;

-- name: begin
UPDATE deliveries SET state = 'sending', attempts = attempts + 1
WHERE delivery_id = ? AND state = 'waiting';

-- name: finish
UPDATE deliveries SET state = ?2, due_at = ?3, error = ?4, finished_at = ?5
WHERE delivery_id = ?1 AND state = 'sending';

-- name: pause
INSERT INTO pauses (receiver, until) VALUES (?, ?) ON CONFLICT (receiver) DO UPDATE SET until = excluded.until;

-- name: take_up_again
UPDATE deliveries SET state = 'waiting', due_at = ? WHERE state = 'sending';

-- name: recall
-- After the clock was put back: nothing may be due later than anything ever is.
UPDATE deliveries SET due_at = ?1 WHERE state IN ('waiting', 'held') AND due_at > ?2;

-- name: ripe
SELECT delivery_id, receiver, channel_id, person, notification_id, entry, held_for, happened FROM deliveries
WHERE state = 'held' AND due_at <= ? ORDER BY receiver, delivery_id;

-- name: release
UPDATE deliveries SET state = 'waiting', held_for = NULL WHERE delivery_id = ?1 AND state = 'held';

-- name: put_into_digest
UPDATE deliveries SET state = 'digested', digest = ?2, entry = ?3, finished_at = ?4
WHERE delivery_id = ?1 AND state = 'held';

-- name: of_digest
SELECT entry, happened FROM deliveries WHERE digest = ?1 ORDER BY delivery_id LIMIT ?2;

-- name: count_of_digest
SELECT count(*) FROM deliveries WHERE digest = ?;

-- name: drop_of_receiver
UPDATE deliveries SET state = 'dropped', finished_at = ?2 WHERE receiver = ?1 AND state IN ('waiting', 'held');

-- name: remove_of_receiver
DELETE FROM deliveries WHERE receiver = ?;

-- name: delivery
SELECT delivery_id, key, receiver, channel_id, person, happened, notification_id, entry, at, state, due_at, attempts,
    error, created_at, finished_at
FROM deliveries WHERE delivery_id = ?;

-- name: deliveries
SELECT delivery_id, key, receiver, channel_id, person, happened, notification_id, entry, at, state, due_at, attempts,
    error, created_at, finished_at
FROM deliveries ORDER BY delivery_id DESC LIMIT ?;

-- name: deliveries_in
SELECT delivery_id, key, receiver, channel_id, person, happened, notification_id, entry, at, state, due_at, attempts,
    error, created_at, finished_at
FROM deliveries WHERE state = ? ORDER BY delivery_id DESC LIMIT ?;

-- name: counts
SELECT receiver, state, count(*) FROM deliveries WHERE state IN ('waiting', 'held', 'sending', 'dead')
GROUP BY receiver, state;

-- name: retry
UPDATE deliveries SET state = 'waiting', due_at = ?2, attempts = 0, finished_at = NULL
WHERE delivery_id = ?1 AND state = 'dead';

-- name: forget_finished
DELETE FROM deliveries WHERE state IN ('sent', 'digested', 'dropped') AND finished_at < ?;

-- name: forget_dead
DELETE FROM deliveries WHERE state = 'dead' AND finished_at < ?;

-- name: forget_surplus
DELETE FROM deliveries WHERE delivery_id IN (
    SELECT delivery_id FROM deliveries WHERE state IN ('sent', 'digested', 'dropped', 'dead')
    ORDER BY delivery_id DESC LIMIT -1 OFFSET ?
);

-- name: forget_pauses
DELETE FROM pauses WHERE until < ?;
