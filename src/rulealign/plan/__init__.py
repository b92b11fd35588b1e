"""What each job is told: its settings, its files and its place on a machine."""
