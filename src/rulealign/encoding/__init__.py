"""How well features of networks predict responses, from the responses' Gram matrix alone."""
