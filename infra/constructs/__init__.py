"""One construct per capability: keyword-only inputs, resources as attributes."""
