"""The warehouse as pure functions: its migrations, what to load, and the questions asked of it."""
