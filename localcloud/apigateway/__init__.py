"""API Gateway: HTTP APIs with Lambda proxy integrations and JWT authorizers."""
