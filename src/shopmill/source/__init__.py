"""The shop's tables: what they must look like, and how they are read."""
