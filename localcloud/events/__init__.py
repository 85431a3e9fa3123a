"""EventBridge: rules that fire on a schedule or on an event."""
