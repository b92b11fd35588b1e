"""Whether the statistics find back a truth that is known: many simulated data sets, one table."""
