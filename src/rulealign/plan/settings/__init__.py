"""What each kind of job is told: frozen classes, one module per stage; nothing is computed here."""
