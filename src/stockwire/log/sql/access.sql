-- Every statement of access.db.

-- name: add_key
INSERT INTO keys (name, scopes, prefix, sha256, created_at) VALUES (?, ?, ?, ?, ?);

-- name: key_in_use
SELECT 1 FROM keys WHERE name = ? AND revoked_at IS NULL;

-- name: keys
SELECT name, scopes, prefix, created_at, last_used_at, revoked_at FROM keys ORDER BY id;

-- name: key_by_hash
SELECT sha256, name, scopes FROM keys WHERE sha256 = ? AND revoked_at IS NULL;

-- name: revoke_key
UPDATE keys SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL;

-- name: use_key
UPDATE keys SET last_used_at = ?1 WHERE sha256 = ?2 AND (last_used_at IS NULL OR last_used_at < ?1);

-- name: add_link
INSERT INTO links (sha256, user, expires_at) VALUES (?, ?, ?);

-- name: spend_link
DELETE FROM links WHERE sha256 = ? AND expires_at > ? RETURNING user;

-- name: add_session
INSERT INTO sessions (sha256, user, created_at, expires_at) VALUES (?, ?, ?, ?);

-- name: session_by_hash
SELECT sha256, user FROM sessions WHERE sha256 = ? AND expires_at > ?;

-- name: end_session
DELETE FROM sessions WHERE sha256 = ?;

-- name: drop_expired_links
DELETE FROM links WHERE expires_at <= ?;

-- name: drop_expired_sessions
DELETE FROM sessions WHERE expires_at <= ?;

-- name: still_good
SELECT 1 FROM keys WHERE sha256 = ?1 AND revoked_at IS NULL
UNION ALL
SELECT 1 FROM sessions WHERE sha256 = ?1 AND expires_at > ?2;
