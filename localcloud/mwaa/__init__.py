"""Amazon MWAA: environments, and what their processes are started with."""
