"""customer_features: what is known of each customer at as_of, ready for a model."""
