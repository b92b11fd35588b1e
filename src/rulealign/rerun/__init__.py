"""What must run again, and why: fingerprints of code, notes of settings, folders of results."""
