"""Thin stacks: each composes constructs and grants access, and reads like the data flow."""
