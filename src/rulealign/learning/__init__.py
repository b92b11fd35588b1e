"""Networks and the rules by which they learn."""
