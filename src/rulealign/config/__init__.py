"""The typed, closed configuration of a study: what may stand in it, and how mistakes are told."""
