"""The jobs of the small simulated study, by their messages: what a change should run again."""

RECORD = {
    "Record the study's settings, its inputs, and what computes it",
    "Write the report page",
    "Sum what the study's jobs cost",
}
FIGURES = RECORD | {"Draw the figures"}
LOOKED_AT = {"Choose and map the RDMs that the report shows"}
MIXED_MODELS = "Fit a mixed model of seeds and subjects to every claim"
ALIGNMENT_TABLE = FIGURES | {
    MIXED_MODELS,
    "Alignment of all rules and ROIs, averaged over seeds",
    "Every layer with every ROI, beside the fixed map and the choice on other stimuli",
}
COURSES = {"Drops, changes, mean heights and half decays of alignment over training"}
CLAIMS_FIGURE = {"Draw every claim in every universe"}
VERDICTS = CLAIMS_FIGURE | {"Hold every claim against every universe"}
CLAIMS = VERDICTS | {MIXED_MODELS}
UNIVERSES = {"Score cnn3 by fa with V1 in every universe of the claims"} | CLAIMS
RULE_TABLES = (
    ALIGNMENT_TABLE
    | COURSES
    | LOOKED_AT
    | {
        "Held-out accuracy of all networks; no state appears twice",
        "Diagnostics of all networks; rules that did not learn are named",
    }
)
CONTROLS_TABLE = {"Alignment of all controls; those that stimuli do not have are named"}
CHECKED = {
    "Check that every stimulus set and every brain RDM has the same stimuli in the same order"
}
CEILINGS = {f"Noise ceiling of {roi} and its permutation null" for roi in ("V1", "LOC")}
CEILINGS_TABLE = {"Noise ceilings of all ROIs"}
BRAIN_TABLES = CHECKED | CEILINGS_TABLE
BRAIN_TABLES |= {"Quality of the brain data: orders, agreement, repetitions; faults are named"}
SCORES = {f"Hold cnn3 by {rule} against {roi}" for rule in ("bp", "fa") for roi in ("V1", "LOC")}
CONTROL_SCORES = {"Hold the controls against V1", "Hold the controls against LOC"}


def of_roi(roi, rules=("bp", "fa"), people=("01", "02")):
    of_people = [f"{what} of sub-{p} in {roi}" for p in people for what in PER_PERSON]
    of_all = {
        f"Hold the controls against {roi}",
        f"Noise ceiling of {roi} and its permutation null",
    }
    return {*of_people, *of_all} | {f"Hold cnn3 by {rule} against {roi}" for rule in rules}


PER_PERSON = ("Read the responses", "RDM", "Check the trials")


def network(rule, seed, epoch, start=None, px=32, of="cnn3"):
    made = (
        f"Train {of} by {rule}, seed {seed}: epoch {start} to {epoch}"
        if epoch
        else (f"Make the initial {of} of {rule}, seed {seed}")
    )
    return {made, shown(rule, seed, epoch, px, of)}


def shown(rule, seed, epoch, px=32, of="cnn3"):
    return f"Activations and RDMs of {of} by {rule}, seed {seed}, epoch {epoch}, at {px} px"


def chain(rule, seed, of="cnn3"):
    networks = network(rule, seed, 0, of=of) | network(rule, seed, 2, start=0, of=of)
    return networks | {f"Diagnostics of {of} by {rule}, seed {seed}: epochs 0 2"}


def scores_of(rule, of="cnn3"):
    return {f"Hold {of} by {rule} against {roi}" for roi in ("V1", "LOC")}


def at_64():
    networks = {shown(rule, 1, epoch, 64) for rule in ("bp", "fa") for epoch in (0, 2)}
    images = {"Prepare the stimulus set shown at 64 px", "RDMs of the controls of shown at 64 px"}
    return (
        networks
        | images
        | CHECKED
        | SCORES
        | CONTROL_SCORES
        | CONTROLS_TABLE
        | ALIGNMENT_TABLE
        | COURSES
        | CLAIMS
    )


ADDED_ROI = of_roi("IT") | BRAIN_TABLES | CONTROLS_TABLE | ALIGNMENT_TABLE
FA_AGAIN = chain("fa", 1) | scores_of("fa") | RULE_TABLES | UNIVERSES
