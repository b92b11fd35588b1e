# Manifests: every job that makes results makes theirs, too, as an output that the target asks for.
# Nothing has them as input, because they name the code: what it makes may still be the same.

for _rule in workflow.rules:
    if _results := list(filter(is_result, _rule.output)):
        _rule.set_output(manifests=[str(manifest_path(path)) for path in _results])

EVERYTHING += [str(manifest_path(path)) for path in filter(is_result, EVERYTHING)]
