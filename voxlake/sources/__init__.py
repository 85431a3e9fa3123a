"""Events from other people's formats."""
