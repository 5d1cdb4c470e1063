"""Bringing files in: each format turns rows into public event envelopes, and one runner sends them anywhere.

A format is a value with its options and a `read`; it knows neither the log nor HTTP. Event ids are made from the
file's own identities alone, so the same file always gives the same events, and importing it again, or on after a
kill, changes nothing.
"""
