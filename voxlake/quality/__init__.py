"""Quality rules: what has to hold in a table before a new version of a partition is published."""
