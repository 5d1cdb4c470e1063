"""The SQL of the SQLite databases: named statements and numbered migrations."""
