"""Amazon SageMaker: training and batch transform jobs in subprocesses, and the model registry."""
