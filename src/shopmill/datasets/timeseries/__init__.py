"""timeseries: what was sold of each article and category, day by day and week by week."""
