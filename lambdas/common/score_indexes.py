"""Indexes of the scores table, for who writes it and who reads it."""

BY_TRACKER, BY_THREAD = "by_tracker", "by_thread"
NO_TRACKER = "-"
"""The tracker of a text that matches none."""
