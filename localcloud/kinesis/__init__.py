"""Kinesis: moto's streams with a data plane of our own."""
