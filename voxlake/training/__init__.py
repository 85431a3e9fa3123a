"""What the training scripts share: SageMaker's contract, splits, figures. Needs numpy only."""
