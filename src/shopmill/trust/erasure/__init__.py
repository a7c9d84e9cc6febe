"""`shopmill erase`: a person leaves the store and the registry, and does not come back."""
