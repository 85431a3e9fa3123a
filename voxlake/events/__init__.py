"""The event contract: models, checks, what is generated from them."""
