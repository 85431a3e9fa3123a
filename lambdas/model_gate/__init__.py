"""model_gate: prepares trainings, judges what they made, and moves `best`."""
