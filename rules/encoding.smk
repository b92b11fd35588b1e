# How well layers predict responses, by the Gram matrices of the responses alone, or voxel by voxel.
# Where the study asks for it: one job per ROI for what is predicted, and one per arm and ROI.


include: "features.smk"


if STUDY.encoding:
    # Gram matrices are small: all voxels together are fitted on the CPU
    FITS_ON_GPU = GPU if STUDY.encoding.voxels else 0

    if STUDY.encoding.voxels:

        rule voxels:
            input:
                responses_of_roi,
            output:
                FILES.voxels,
            log:
                f"{LOGS}/voxels_roi-{{roi}}.log",
            priority: 20
            conda:
                "../envs/data.yaml"
            resources:
                mem_mb=memory(3000),
            params:
                code=code("voxels"),
                settings=settings(encoding.VoxelSettings.of),
            message:
                "Patterns, noise ceilings and folds of {wildcards.roi}"
            script:
                "../scripts/voxels.py"

    else:

        rule gram:
            input:
                brain=rdms_of_roi,
                responses=responses_of_roi if WITH_RESPONSES else [],
            output:
                FILES.gram,
            log:
                f"{LOGS}/gram_roi-{{roi}}.log",
            priority: 20
            conda:
                "../envs/data.yaml"
            resources:
                mem_mb=memory(1000),
            params:
                code=code("gram"),
                settings=settings(encoding.GramSettings.of),
            message:
                "Gram matrices and folds of {wildcards.roi}"
            script:
                "../scripts/gram.py"

    rule signals:
        input:
            checkpoint=FILES.checkpoint,
            stimuli=expand(FILES.stimuli, stimuli=STUDY.stimuli, allow_missing=True),
            training_set=[FILES.training_set] if STUDY.encoding.labels else [],
        output:
            signals=expand(FILES.signals, stimuli=STUDY.stimuli, allow_missing=True),
        log:
            f"{LOGS}/signals_{NETWORK}_px-{{size}}.log",
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=memory(3000),
            gpu=GPU,
        params:
            code=code_of_arm("signals"),
            network=network_files,
            settings=settings(encoding.SignalSettings.of, "arm"),
        message:
            "Gradients and teaching signals of {wildcards.network} by {wildcards.rule},"
            " seed {wildcards.seed}, epoch {wildcards.epoch}, at {wildcards.size} px"
        script:
            "../scripts/signals.py"

    rule encoding:
        input:
            activations=features_of_arm(
                FILES.activations,
                lambda rule: "activations" in STUDY.encoding.features,
            ),
            signals=features_of_arm(FILES.signals, STUDY.signals),
            gram=ENCODED,
        output:
            table=FILES.encoding,
            errors=FILES.encoding_errors,
        log:
            f"{LOGS}/encoding_{ARM}_roi-{{roi}}.log",
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=memory(3000 if FITS_ON_GPU else 1500),
            gpu=FITS_ON_GPU,
        params:
            code=code("encoding"),
            settings=settings(encoding.EncodingSettings.of),
        message:
            "Predict {wildcards.roi} from layers of {wildcards.network} by {wildcards.rule}"
        script:
            "../scripts/encoding.py"

    rule encoding_table:
        input:
            of_arms(FILES.encoding, roi=STUDY.brain.rois),
        output:
            FILES.table.format(table="encoding"),
        log:
            f"{LOGS}/encoding_table.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(500),
        params:
            code=code("encoding_table"),
            settings=settings(encoding.EncodingTableSettings.of),
        message:
            "Encoding of all ROIs by all rules"
        script:
            "../scripts/encoding_table.py"

    if STUDY.encoding.hierarchy:

        rule encoding_order:
            input:
                errors=of_arms(FILES.encoding_errors, roi=STUDY.encoding.hierarchy),
                grams=expand(ENCODED, roi=STUDY.encoding.hierarchy),
            output:
                FILES.table.format(table="encoding_order"),
            log:
                f"{LOGS}/encoding_order.log",
            localrule: True
            conda:
                "../envs/data.yaml"
            resources:
                mem_mb=memory(1000),
            params:
                code=code("encoding_order"),
                settings=settings(encoding.OrderSettings.of),
            message:
                "Order in which layers predict the hierarchy of ROIs"
            script:
                "../scripts/encoding_order.py"
