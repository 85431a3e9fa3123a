"""The ledger's items and rules as pure functions; adapters elsewhere only move the dicts."""
