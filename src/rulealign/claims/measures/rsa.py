"""RSA: RDMs of networks compared with RDMs of brains."""

from __future__ import annotations

from rulealign.claims.measure import Measure


class Rsa(Measure):
    """Every axis applies; `universes.scores` computes it."""

    words, label = "by RSA", "RSA"
    of_rdms = True
