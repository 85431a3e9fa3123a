"""Who calls, and what the caller's policies allow."""
