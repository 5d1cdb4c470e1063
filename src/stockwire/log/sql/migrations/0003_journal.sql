-- The newest commits once more, each whole and in order, for processes that follow the log (log/journal.py).

CREATE TABLE journal (
    version INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
