"""Amazon SageMaker: batch transform jobs, run in a subprocess under the toolkit contract."""
