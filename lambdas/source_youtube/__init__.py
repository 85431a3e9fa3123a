"""Reads the comments of followed videos from the YouTube Data API v3."""
