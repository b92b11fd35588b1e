"""Every job is counted under the rule that it belongs to."""

import re

from rulealign.cost import STAGES, cost_table

COST = "cost: wall 60.0 s, cpu 60.0 s, peak 100 MB\n"


def test_every_rule_of_the_workflow_is_a_stage_of_its_own(project, tmp_path):
    (tmp_path / "logs").mkdir()
    logs = {}
    for file in (project / "rules").glob("*.smk"):
        for rule, log in re.findall(r"rule (\w+):.*?LOGS}/(\w*)", file.read_text(), re.DOTALL):
            logs[log] = rule
            (tmp_path / "logs" / f"{log}x.log").write_text(COST)
    assert {"ceiling_roi", "layers_table", "trajectories_table"} <= {
        log.rstrip("_-") for log in logs
    }
    counted = cost_table(tmp_path).set_index("stage")["jobs"]
    assert set(counted.index) <= {*STAGES, "all"}
    for log, rule in logs.items():
        stage = max((one for one in counted.index if log.startswith(one)), key=len)
        assert rule.startswith(stage.removesuffix("s")) or stage == "train", (log, rule)
