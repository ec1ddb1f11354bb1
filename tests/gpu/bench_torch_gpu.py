#!/usr/bin/env python3
"""Times PyTorch on what bench_ops times: convolutions of ResNet-56 and VGG-9, inference, training
steps, and a surface the way the reference implementation evaluates one. JSON, like bench_ops', for
the same tables: where those have 8 networks of 256 images, PyTorch has one of 2048.

  tests/gpu/bench_torch_gpu.py --output FILE [--device cuda|cpu] [--seconds N] [--quick]
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "models"))
from torch_zoo import network  # noqa: E402

# H, I, O, kernel, stride: the networks' convolutions, each shape once.
SHAPES = {
    "ResNet-56": [(32, 3, 16, 3, 1), (32, 16, 16, 3, 1), (32, 16, 32, 3, 2), (16, 32, 32, 3, 1),
                  (32, 16, 32, 1, 2), (16, 32, 64, 3, 2), (8, 64, 64, 3, 1), (16, 32, 64, 1, 2)],
    "VGG-9": [(32, 3, 64, 3, 1), (32, 64, 64, 3, 1), (16, 64, 128, 3, 1), (16, 128, 128, 3, 1),
              (8, 128, 256, 3, 1), (8, 256, 256, 3, 1)],
}
# Name: dtype, TF32, memory layout.
MODES = {
    "f32": (torch.float32, False, torch.contiguous_format),
    "f32 channels_last": (torch.float32, False, torch.channels_last),
    "tf32 channels_last": (torch.float32, True, torch.channels_last),
    "bf16 channels_last": (torch.bfloat16, True, torch.channels_last),
}

# The tables of bench_ops that these figures stand in.
EVALUATION = "evaluation, 8 networks, 256 images each"
TRAINING = "training, 128 images"
NETWORKS = "whole networks"


class OutOfTime(Exception):
    pass


class Bench:
    def __init__(self, flags):
        self.device, self.quick, self.output = flags.device, flags.quick, flags.output
        self.deadline = time.monotonic() + flags.seconds
        self.figures = []

    def size(self, full, small):
        return small if self.quick else full

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def seconds_of(self, work, calls):
        self.wait()
        start = time.perf_counter()
        for _ in range(calls):
            work()
        self.wait()
        return (time.perf_counter() - start) / calls

    def time(self, work):
        """Median seconds of a call; the first ones choose algorithms."""
        if time.monotonic() > self.deadline:
            raise OutOfTime
        for _ in range(self.size(3, 0)):
            work()
        once = self.seconds_of(work, 1)
        if self.quick:
            return once
        calls = int(min(max(8e-3 / once, 1), 1000))
        samples = 5 if once < 0.2 else 1
        return statistics.median(self.seconds_of(work, calls) for _ in range(samples))

    def add(self, group, op, implementation, case, seconds, flop=0, images=0):
        figure = {"group": group, "op": op, "implementation": implementation, "case": case, "us": 1e6 * seconds}
        if flop:
            figure["TFLOP/s"] = 1e-12 * flop / seconds
        if images:
            figure["images/s"] = images / seconds
        self.figures.append(figure)
        print(f"{op:24} {implementation:32} {case:44} {1e6 * seconds:12.1f} us", flush=True)
        with open(self.output + ".part", "w") as file:
            json.dump(self.figures, file, indent=1)
        os.replace(self.output + ".part", self.output)


def set_tf32(on):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = on


def convolutions(bench):
    """As a surface has them: 2048 images, forward; as training has them: 128, both ways."""
    for network, shapes in SHAPES.items():
        for H, I, O, kernel, stride in shapes[:bench.size(len(shapes), 1)]:
            for mode, (dtype, tf32, layout) in MODES.items():
                set_tf32(tf32)
                many, few = bench.size(2048, 2), bench.size(128, 2)
                where = dict(device=bench.device, dtype=dtype)
                w = torch.randn(O, I, kernel, kernel, **where).contiguous(memory_format=layout)
                bias = torch.randn(O, **where)
                x = torch.randn(many, I, H, H, **where).contiguous(memory_format=layout)
                flop = 2 * (H // stride) ** 2 * O * I * kernel ** 2
                case = f"{network} {kernel}x{kernel} {I}->{O} on {H}x{H}" + (
                    f", stride {stride}" if stride > 1 else "")

                def forward():
                    with torch.no_grad():
                        F.conv2d(x, w, bias, stride, kernel // 2)

                bench.add(EVALUATION, "conv2d", "torch " + mode, case,
                          bench.time(forward), flop * many)
                x = x[:few].detach().requires_grad_()
                w.requires_grad_()
                dy = torch.randn_like(F.conv2d(x, w, None, stride, kernel // 2))

                def both():
                    torch.autograd.grad(F.conv2d(x, w, None, stride, kernel // 2), (x, w), dy)

                bench.add(TRAINING, "conv2d, both ways", "torch " + mode, case,
                          bench.time(both), 3 * flop * few)


def graphed(model, x):
    """The model's pass as one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            model(x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(x)
    return graph.replay


def inference(bench):
    """ResNets on images that are on the device already, 2048 at a time."""
    for depth in bench.size((56, 20), (8,)):
        for mode, (dtype, tf32, layout) in MODES.items():
            set_tf32(tf32)
            count = bench.size(2048, 2)
            model = network(f"resnet{depth}", shortcut="A").eval().to(bench.device, dtype)
            model = model.to(memory_format=layout)
            x = torch.randn(count, 3, 32, 32, device=bench.device, dtype=dtype).contiguous(
                memory_format=layout)
            with torch.no_grad():
                runs = {"": lambda: model(x)}
                if bench.device == "cuda":
                    runs[", CUDA graph"] = graphed(model, x)
                for how, work in runs.items():
                    bench.add(NETWORKS, "inference", "torch " + mode + how,
                              f"resnet{depth}, {count} images", bench.time(work), images=count)


def compiled(bench):
    """torch.compile, which takes a minute to think: last, where there is time for it."""
    if not hasattr(torch, "compile") or bench.quick or bench.device != "cuda":
        return
    for mode in ("tf32 channels_last", "bf16 channels_last"):
        dtype, tf32, layout = MODES[mode]
        set_tf32(tf32)
        if time.monotonic() + 30 > bench.deadline:
            raise OutOfTime
        model = network("resnet56", shortcut="A").eval().to(bench.device, dtype)
        model = model.to(memory_format=layout)
        x = torch.randn(2048, 3, 32, 32, device=bench.device, dtype=dtype).contiguous(
            memory_format=layout)
        fast = torch.compile(model, mode="reduce-overhead")
        with torch.no_grad():
            bench.add(NETWORKS, "inference", "torch " + mode + ", compiled",
                      "resnet56, 2048 images", bench.time(lambda: fast(x)), images=2048)


def reference_surface(bench):
    """A point as the reference implementation evaluates it: every parameter set on its own, batches
    of 128, loss and correct answers fetched after each. Images are on the device already; its own
    loader takes longer."""
    depth, count = bench.size(56, 8), bench.size(10_000, 4)
    set_tf32(False)
    model = network(f"resnet{depth}", shortcut="A").eval().to(bench.device)
    images = torch.randn(count, 3, 32, 32, device=bench.device)
    labels = torch.randint(0, 10, (count,), device=bench.device)
    weights = [p.data.clone() for p in model.parameters()]
    directions = [[torch.randn_like(w) for w in weights] for _ in range(2)]

    def point():
        for p, w, d0, d1 in zip(model.parameters(), weights, *directions):
            p.data = w + 1e-3 * d0 + 1e-3 * d1
        total = correct = 0
        with torch.no_grad():
            for begin in range(0, count, 128):
                y = labels[begin:begin + 128]
                logits = model(images[begin:begin + 128])
                total += F.cross_entropy(logits, y).item() * len(y)
                correct += (logits.argmax(1) == y).sum().item()

    bench.add(NETWORKS, "surface, reference's way", "torch f32",
              f"resnet{depth}, {count} images a point", bench.time(point), images=count)


def training(bench):
    """A step on a batch that is on the device already, as apps/bench times ours."""
    batch = bench.size(128, 2)
    for depth in bench.size((56, 20), (8,)):
        for mode in ("f32", "tf32 channels_last"):
            _, tf32, layout = MODES[mode]
            set_tf32(tf32)
            model = network(f"resnet{depth}", shortcut="A").train().to(bench.device)
            model = model.to(memory_format=layout)
            x = torch.randn(batch, 3, 32, 32, device=bench.device).contiguous(memory_format=layout)
            labels = torch.randint(0, 10, (batch,), device=bench.device)
            optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4,
                                        nesterov=True)

            def step():
                optimizer.zero_grad()
                F.cross_entropy(model(x), labels).backward()
                optimizer.step()

            bench.add(NETWORKS, "training step", "torch " + mode,
                      f"resnet{depth}, batch {batch}", bench.time(step), images=batch)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=float, default=80, help="stop measuring after these")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one call")
    bench = Bench(parser.parse_args())
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    print("torch", torch.__version__)
    try:
        for part in (inference, reference_surface, training, convolutions, compiled):
            part(bench)
    except OutOfTime:
        print("out of time: what is missing was not measured")


if __name__ == "__main__":
    main()
