"""From a text as people write it to one that may leave landing, and to its words."""
