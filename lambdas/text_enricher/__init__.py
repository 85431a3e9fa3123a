"""Kinesis events to provisional scores and tickets, within seconds."""
