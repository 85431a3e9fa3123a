"""What several functions share; goes with each."""
