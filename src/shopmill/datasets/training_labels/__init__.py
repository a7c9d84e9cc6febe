"""training_labels: what happened next, as targets for models."""
