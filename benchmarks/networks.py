"""What a training step of each network costs, and how near it comes to the machine's matrix rate.

`python benchmarks/networks.py [rule [network ...]]` prints a row per network (all of them, or those
named): GFLOP of a step of `rule` (bp) with 128 images of 32 px as torch counts them, CPU seconds
per epoch of 8,000 images, and the share of the float32 rate of plain matrix products, measured in
turns with the steps, on one thread. The fastest of each counts, as other work on the machine only
slows.
"""

import sys
import time
from pathlib import Path

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from rulealign.arm import Arm
from rulealign.config.load import load_study
from rulealign.learning.device import repeatable, use_threads
from rulealign.learning.run import start_run
from rulealign.plan.settings.training import CheckpointSettings

NETWORKS = {
    "cnn3": {"kind": "cnn3"},
    "triangle3, width 1/4": {"kind": "triangle3", "width": 0.25},
    "triangle3": {"kind": "triangle3"},
    "vgg5, width 1/4": {"kind": "vgg5", "width": 0.25},
    "vgg5": {"kind": "vgg5"},
    "vgg11, width 1/4": {"kind": "vgg11", "width": 0.25},
    "vgg11": {"kind": "vgg11"},
    "resnet18, width 1/4": {"kind": "resnet18", "width": 0.25},
    "resnet18": {"kind": "resnet18"},
}
BATCH, IMAGES, SIDE, SECONDS = 128, 8000, 1024, 6


def run_of(network, rule, **settings):
    """Start a run of one network under one rule with these settings, as a job does."""
    values = yaml.safe_load(Path("workflow_config.yaml").read_text())
    values |= {"networks": {"one": network}, "rules": {rule: {"baseline": None} | settings}}
    del values["training"]["fewer_seeds"]
    values["layer_map"] = [{"layer": "first", "roi": "V1"}]
    values |= {"levels": {"first": 0.0}, "report": {}, "universes": {}, "claims": {}}
    settings = CheckpointSettings.of(load_study(values), Arm("one", rule))
    return start_run(settings, 42, torch.device("cpu"), classes=10)


def fastest(work, least):
    """Repeat work for at least some seconds; give the CPU seconds of the fastest one."""
    start, found = time.perf_counter(), []
    while time.perf_counter() - start < least or len(found) < 3:
        before = time.process_time()  # of one thread, so other work takes no part of it
        work()
        found.append(time.process_time() - before)
    return min(found)


def measured(network, rule):
    """Give GFLOP per step, seconds per step and GFLOP per second of matrix products."""
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))
    one, other = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    with repeatable(torch.device("cpu")):
        run = run_of(network, rule)
        run.network.train()
        run.rule.start_epoch(0)
        with FlopCounterMode(display=False) as counter:
            run.rule.step(images, labels)
        steps, products = [], []
        for _ in range(4):  # in turns, as other work comes and goes
            steps.append(fastest(lambda: run.rule.step(images, labels), SECONDS / 4))
            products.append(fastest(lambda: one @ other, SECONDS / 4))
    return counter.get_total_flops() / 1e9, min(steps), 2 * SIDE**3 / 1e9 / min(products)


def main(rule="bp", *named):
    """Measure and print."""
    use_threads(1)
    print(f"{torch.get_num_threads()} thread(s), {rule}")
    print("network | GFLOP/step | s/epoch | GFLOP/s | matrix GFLOP/s | share")
    for name in named or NETWORKS:
        flop, step, rate = measured(NETWORKS[name], rule)
        print(
            f"{name} | {flop:.1f} | {step * IMAGES / BATCH:.1f} | {flop / step:.0f} | {rate:.0f}"
            f" | {flop / step / rate:.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
