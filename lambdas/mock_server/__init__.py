"""A living, invented social network that fills the stream: seeded and deterministic."""
