"""CloudFront: distributions, served on loopback without a cache."""
