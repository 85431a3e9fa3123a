"""Brings the warehouse up to date with the lake: migrations, then changed days."""
