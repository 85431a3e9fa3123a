"""Outbox to replies on X: each at most once, and each that was asked for and is allowed."""
