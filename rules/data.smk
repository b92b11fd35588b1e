# Downloads, training images, stimulus images, and the simulated data set.


rule fetch:
    output:
        "resources/{dataset}/fetched.json",
    log:
        f"{LOGS}/fetch_{{dataset}}.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        # Its code is no param: whatever code got them, the bytes are those of the checksums.
        files=lambda wildcards: kept("published", inputs.published([wildcards.dataset])),
    message:
        "Get {wildcards.dataset}: mirrors first, then its public place; checked by checksum"
    script:
        "../scripts/fetch.py"


rule training_set:
    input:
        source_files(source_of(STUDY.training_set), whole_folder=True),
    output:
        FILES.training_set,
    log:
        f"{LOGS}/training_set.log",
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=memory(2000),
    params:
        code=code("training_set", training_sets=USED_TRAINING_SET),
        settings=settings(training.TrainingSetSettings.of),
        source=verbatim(source_of(STUDY.training_set)),
        listing=noted("folder", TRAINING_LISTING),
    message:
        f"Make the training set ({STUDY.training_set.kind})"
    script:
        "../scripts/training_set.py"


rule stimuli:
    input:
        unpack(stimulus_sources),
    output:
        FILES.stimuli,
    log:
        f"{LOGS}/stimuli_stim-{{stimuli}}_px-{{size}}.log",
    priority: 20
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=lambda wildcards: code(
            "stimuli", stimulus_sets=[STUDY.pictured(wildcards.stimuli).kind]
        ),
        settings=settings(images.StimuliSettings.of, "stimuli"),
        sizes=lambda wildcards: image_sizes(STUDY.pictured(wildcards.stimuli)),
    message:
        "Prepare the stimulus set {wildcards.stimuli} at {wildcards.size} px"
    script:
        "../scripts/stimuli.py"


if STUDY.brain.generated:

    rule simulate_images:
        output:
            images=directory(FILES.simulated_images),
            truth=FILES.simulated_truth,
        log:
            f"{LOGS}/simulate_images.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code("simulate_images"),
            settings=settings(images.SimulatedImagesSettings.of),
        message:
            "Draw the images of the simulated study and its known truth"
        script:
            "../scripts/simulate_images.py"

    rule simulate_subject:
        input:
            images=ancient(FILES.simulated_images),
            truth=FILES.simulated_truth,
        output:
            responses=FILES.simulated_responses,
            voxels=FILES.simulated_voxels,
            stimuli=FILES.simulated_stimuli,
        log:
            f"{LOGS}/simulate_sub-{{subject}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(2000),
        params:
            code=code("simulate_subject"),
            settings=settings(images.SimulatedSubjectSettings.of),
        message:
            "Simulate the responses of sub-{wildcards.subject}"
        script:
            "../scripts/simulate_subject.py"


if BRAIN_DATA and BRAIN_DATA.reads_rows:

    rule things_tables:
        output:
            [str(path) for path in BRAIN_DATA.small_tables("{subject}")],
        log:
            f"{LOGS}/things_tables_sub-{{subject}}.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(500),
        params:
            code=code("things_tables"),
            form=noted("form", BRAIN_DATA.form.plain()),
        message:
            "Get the tables of voxels and trials of sub-{wildcards.subject}, without responses"
        script:
            "../scripts/things_tables.py"


if BRAIN_DATA and BRAIN_DATA.unpacks:

    rule things_unpack:
        input:
            BRAIN_DATA.archives,
        output:
            [str(path) for path in BRAIN_DATA.unpacked("{subject}")],
        log:
            f"{LOGS}/things_unpack_sub-{{subject}}.log",
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code("things_unpack"),
        message:
            "Unpack the files of sub-{wildcards.subject}, and no others"
        script:
            "../scripts/things_unpack.py"
