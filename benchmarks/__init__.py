"""Measurements; each prints a table and a JSON line, and none asserts a time."""
