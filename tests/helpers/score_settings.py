"""Settings of scores, of which tests replace what they are about."""

from rulealign.plan.settings.score_tables import AlignmentTableSettings
from rulealign.plan.settings.scores import AlignmentSettings, ScoreSettings

SCORES = ScoreSettings(study_seed=5, bootstrap_draws=60, interval=0.9, pairs="all")


def alignment(scores=SCORES, **changed):
    """Give the settings of an alignment without samples for primary intervals."""
    choice = {"layer_folds": 2, "layer_splits": 1, "sampled_layers": [], "generalise_to": ""}
    return AlignmentSettings(**scores.plain() | choice | changed)


def table(seeds, scores=SCORES, **changed):
    """Give the settings of a table of alignments, from rule -> its seeds with one network."""
    return AlignmentTableSettings(**scores.plain() | {"seeds": {"cnn3": seeds}} | changed)
