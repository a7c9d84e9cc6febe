"""A version described in the standards of others: Croissant, ODCS, a Hugging Face card."""
