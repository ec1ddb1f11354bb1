#!/usr/bin/env python3
"""Times PyTorch's training step of a network of the zoo (ResNets with option A): for each memory
layout seconds a step and the process's peak of memory in MiB, as JSON.

Called by bench, which sets the allocator's environment.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time

import torch
from torch.nn import functional as F


sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models"))
from torch_zoo import network  # noqa: E402


def median_step(name, batch, steps, layout):
    torch.manual_seed(1)
    model = network(name, shortcut="A").train().to(memory_format=layout)
    x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4,
                                nesterov=True)
    seconds = []
    for step in range(steps + 3):
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
        if step >= 3:  # the first steps allocate
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def in_a_process_of_its_own(measure):
    """measure()'s seconds and the peak of memory: one layout's buffers are not the other's."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        seconds = measure()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(writer, json.dumps({"seconds": seconds, "peak_mib": peak}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        result = json.loads(pipe.read())
    os.wait()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    layouts = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
    results = {}
    for name, layout in layouts.items():
        def measure():
            torch.set_num_threads(arguments.threads)
            return median_step(arguments.model, arguments.batch, arguments.steps, layout)
        results[name] = in_a_process_of_its_own(measure)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
