"""Kinesis events to landing: validate, split, write, record in the ledger."""
