"""Training sets: features of several as_ofs joined with what happened next."""
