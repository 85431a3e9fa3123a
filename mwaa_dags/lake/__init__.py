"""What the DAGs share. On MWAA the folder of the DAGs is on the path, hence the short name."""
