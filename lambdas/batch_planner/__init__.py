"""What a batch run has to do: pending work, and what the model still has to score."""
