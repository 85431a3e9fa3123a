"""Reads what is said about the trackers from X's API v2."""
