"""One run of a dataset: its steps, and what they hand to each other."""
