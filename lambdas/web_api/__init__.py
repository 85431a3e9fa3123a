"""The HTTP API of the live page, of agents and of whoever wants a score."""
