"""Which tables and columns each column comes from."""
