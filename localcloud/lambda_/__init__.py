"""Lambda: functions run in warm worker processes."""
