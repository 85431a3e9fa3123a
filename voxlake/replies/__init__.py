"""Replies: whether a ticket is answered, with what words, and exactly once."""
