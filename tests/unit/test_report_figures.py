import itertools

import numpy as np
import pandas as pd
import pytest

from rulealign.plan.settings.report import FigureSettings
from rulealign.report import accuracy
from rulealign.report.style import COLOURS
from scene import scene


def test_accuracy_is_the_mean_of_seeds_with_the_lowest_and_the_highest():
    rows = [("untrained", 1, 0, 0.1), ("untrained", 2, 0, 0.14)]
    for epoch, seed in itertools.product((0, 5, 1), (2, 1)):
        rows.append(("bp", seed, epoch, 0.1 + 0.07 * epoch + 0.02 * seed))
    columns = ["rule", "seed", "epoch", "held_out_accuracy"]
    training = pd.DataFrame(rows, columns=columns).assign(network="cnn3")
    rules = ["untrained", "bp"]
    told = FigureSettings(rules=rules, lines=rules, layer_map=[], views=[])
    [panel] = accuracy.panels(told, training, 0.1)
    assert panel.name == "accuracy"
    drawing = scene(panel.drawing, accuracy.data(training, told))
    bp = sorted(drawing.of("symbol", COLOURS[1]), key=lambda item: item["x"])
    share = np.poly1d(np.polyfit([item["y"] for item in bp], [0.13, 0.2, 0.48], 1))
    assert share([item["y"] for item in bp]) == pytest.approx([0.13, 0.2, 0.48])
    held = drawing.of("line", COLOURS[0])
    assert share([item["y"] for item in held]) == pytest.approx([0.12] * 3)
    bars = sorted(drawing.of("rule", COLOURS[1]), key=lambda item: item["x"])
    ends = [sorted(share([item["y"], item["y2"]])) for item in bars]
    np.testing.assert_allclose(ends, [[0.12, 0.14], [0.19, 0.21], [0.47, 0.49]], atol=1e-9)
    [chance] = [item for item in drawing.of("rule") if item.get("strokeDash") == [1, 3]]
    assert share(chance["y"]) == pytest.approx(0.1)
