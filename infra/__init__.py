"""The infrastructure as code: typed stages, one construct per capability, thin stacks."""
