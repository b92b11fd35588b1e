# Which files of features, and of responses, encoding takes.


def features_of_arm(pattern, asked):
    """Name the files of features of a job's arm; none where they are not asked for."""
    return lambda wildcards: (
        of_networks(
            pattern,
            [arm_of(wildcards)],
            stimuli=STUDY.stimuli,
            size=STUDY.evaluation.sizes,
        )
        if asked(wildcards.rule)
        else []
    )


def responses_of_roi(wildcards):
    """List the responses of an ROI: those of each subject that has it."""
    return [
        FILES.responses.format(roi=wildcards.roi, subject=subject)
        for subject in STUDY.brain.subjects_of(wildcards.roi)
    ]
