"""Proof that a store holds what was published, its repair, and versions computed again."""
