# Manifests: every job that makes results makes theirs, too, as an output that the target asks for.
# Nothing has them as input, because they name the code: what it makes may still be the same.

import sys
from types import SimpleNamespace

from rulealign.rerun.left_results import left_over, mention, refuse_unnoted_files
from rulealign.manifest import is_result, made_by, manifest_path

for _one in workflow.rules:
    if _results := list(filter(is_result, _one.output)):
        _one.set_output(manifests=[str(manifest_path(path)) for path in _results])

EVERYTHING += [str(manifest_path(path)) for path in filter(is_result, EVERYTHING)]
_asked_for = set(map(str, EVERYTHING))


def made_now(result):
    """Give what the manifest of a result would say now; None where the study lacks it."""
    for one in workflow.rules if result in _asked_for else []:
        if one.is_producer(result):
            wildcards = SimpleNamespace(**one.get_wildcards(result))
            return made_by(
                {
                    name: value(wildcards) if callable(value) else value
                    for name, value in one.params.items()
                }
            )


def mention_left_over():
    if files := left_over(Path(FILES.results), _asked_for):
        logger.warning(mention(Path(FILES.results), files))


if workflow.is_main_process:
    try:
        if not {"--touch", "-t"} & set(sys.argv):
            refuse_unnoted_files(
                Path(FILES.results), Path(".snakemake/metadata"), made_now
            )
    except RulealignError as error:
        raise refused(error) from None
    mention_left_over()
