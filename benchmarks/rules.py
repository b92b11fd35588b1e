"""What a training step of each learning rule costs, relative to one of backpropagation.

`python benchmarks/rules.py [rounds]` prints a row per rule: the median over rounds (9) of its
step's CPU time, divided by that of the `bp` step just before it on the same network, and both
quartiles. Batches are 128 images of 32 px of noise, the same for both; one thread. As the two take
turns, what slows the machine slows both. Rules go on learning from round to round, and the first
round does not count. The row of `bp` is held against itself: what is left of 1 there is noise.
"""

import sys
import time

import numpy as np
import torch

from networks import BATCH, run_of
from rulealign.learning.device import repeatable, use_threads

CNN3, TRIANGLE3 = {"kind": "cnn3"}, {"kind": "triangle3", "width": 0.25}
SETTLED = {"inference_steps": 50, "inference_rate": 0.1, "tolerance": 0.01}
ARMS = [
    *[(CNN3, rule, {}) for rule in ("bp", "readout", "fa", "dfa", "sign_symmetry")],
    *[(CNN3, rule, {}) for rule in ("kolen_pollack", "weight_mirror", "burst")],
    (CNN3, "burst", {"feedback": "symmetric"}),
    (CNN3, "target_propagation", {}),
    (CNN3, "pc_error", {}),
    (CNN3, "pc_error", SETTLED),
    (CNN3, "pc_error", SETTLED | {"target_share": 0.1}),
    *[(CNN3, rule, {}) for rule in ("pc_supervised", "local_supervised", "forward_forward")],
    (CNN3, "forward_forward", {"form": "channels"}),
    *[(CNN3, rule, {}) for rule in ("vicreg", "vicreg_local", "pc", "stdp", "oja")],
    *[(CNN3, rule, {}) for rule in ("pc_2026", "stdp_2026")],
    *[(TRIANGLE3, rule, {}) for rule in ("readout", "softhebb")],
]
"""Network, kind of rule and its settings; those of studies/rules.yaml, and others of the page."""


def started(network, rule, settings):
    """Give the learning rule of a run that is ready for its first step."""
    run = run_of(network, rule, **settings)
    run.network.train()
    run.rule.start_epoch(0)
    return run.rule


def seconds(rule, images, labels):
    """Give the CPU time of one step."""
    before = time.process_time()
    rule.step(images, labels)
    return time.process_time() - before


def ratios(arms, rounds):
    """Time all arms in turns, each after `bp` on its network; give rounds x arms."""
    own = [started(*arm) for arm in arms]
    exact = {network["kind"]: started(network, "bp", {}) for network, _, _ in arms}
    found = []
    for draw in range(rounds + 1):
        torch.manual_seed(draw)
        batch = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))
        found.append([])
        for (network, _, _), rule in zip(arms, own, strict=True):
            reference = seconds(exact[network["kind"]], *batch)
            found[-1].append(seconds(rule, *batch) / reference)
    return np.array(found[1:])


def main(rounds=9):
    """Measure and print."""
    use_threads(1)
    with repeatable(torch.device("cpu")):
        found = ratios(ARMS, int(rounds))
    print("network | rule | settings | x bp | quartiles")
    for (network, rule, settings), one in zip(ARMS, found.T, strict=True):
        low, middle, high = np.quantile(one, (0.25, 0.5, 0.75))
        told = ", ".join(f"{key}: {value}" for key, value in settings.items())
        print(f"{network['kind']} | {rule} | {told} | {middle:.2f} | {low:.2f}-{high:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
