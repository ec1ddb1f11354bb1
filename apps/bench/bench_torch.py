#!/usr/bin/env python3
"""Times PyTorch on a network of the zoo (ResNets with option A), or on what a program makes (--module
net.py:Net(10), for images of 32x32; with the weights of --model net.safetensors), and prints JSON: by competitor
images a second and the peak of memory, in MiB, of a process that does nothing else.

  bench_torch.py training  --model resnet20 --batch 128
  bench_torch.py inference --model resnet20 --batches 64,128 --images 1000
  bench_torch.py curvature --model resnet20 --batch 128 --bn frozen

Called by bench, which sets the allocator's environment and describes the competitors.
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
from torch.utils.data import DataLoader, Dataset

APPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(APPS, "..", "models"), APPS]
from torch_zoo import network  # noqa: E402

LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def made(arguments):
    """The network: of the zoo, or what a program makes."""
    if not arguments.module:
        return network(arguments.model, shortcut="A")
    from export_torch import module_of
    module = module_of(arguments.module)
    if arguments.model.endswith(".safetensors"):
        take_weights(module, arguments.model)
    return module


def take_weights(module, checkpoint):
    """Gives the module the weights that the other side has, which were exported from one like it."""
    sys.path.insert(0, os.path.join(APPS, "exporter"))
    from torch_checkpoint import load_safetensors
    own = {name: t for name, t in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    arrays = load_safetensors(checkpoint)
    sizes = [{name: t.numel() for name, t in own.items()}, {name: a.size for name, a in arrays.items()}]
    if sizes[0] != sizes[1]:
        sys.exit(f"{checkpoint} does not hold the weights of the module {type(module).__name__}")
    for name, tensor in own.items():  # a linear layer is a convolution there
        tensor.copy_(torch.from_numpy(arrays[name].copy()).reshape(tensor.shape))


def median_seconds(work, steps, warm_up=3):
    """Returns the median seconds of a call; the first ones allocate, compile and choose."""
    seconds = []
    for step in range(steps + warm_up):
        start = time.perf_counter()
        work()
        if step >= warm_up:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def training(arguments, layout):
    """Returns images per second of SGD steps on a batch that lies in memory."""
    model = made(arguments).train().to(memory_format=layout)
    x = torch.randn(arguments.batch, 3, 32, 32).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (arguments.batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4,
                                nesterov=True)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
    return arguments.batch / median_seconds(step, arguments.steps)


def curvature(arguments, layout):
    """Returns images per second of products with a batch's Hessian, by double backward."""
    model = made(arguments).train(arguments.bn == "batch")
    model = model.to(memory_format=layout)
    x = torch.randn(arguments.batch, 3, 32, 32).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (arguments.batch,))
    parameters = list(model.parameters())
    v = [torch.randn_like(p) for p in parameters]

    def product():
        gradient = torch.autograd.grad(F.cross_entropy(model(x), labels), parameters,
                                       create_graph=True)
        torch.autograd.grad(gradient, parameters, grad_outputs=v)
    return arguments.batch / median_seconds(product, arguments.steps, warm_up=2)


@torch.no_grad()
def inference(arguments, layout, prepare=lambda model, x: model):
    """Returns images per second of the fastest batch size."""
    best = 0
    for batch in map(int, arguments.batches.split(",")):
        x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=layout)
        model = made(arguments).eval().to(memory_format=layout)
        model = prepare(model, x)
        best = max(best, batch / median_seconds(lambda: model(x), arguments.steps, warm_up=2))
    return best


def frozen(model, x):
    return torch.jit.freeze(torch.jit.trace(model, x))


def optimised(model, x):
    return torch.jit.optimize_for_inference(frozen(model, x))


class Bytes(Dataset):
    """Images of bytes, made numbers and normalised one at a time, as a data set with transforms."""

    def __init__(self, count):
        self.images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8)
        self.labels = torch.randint(0, 10, (count,))
        self.mean = torch.tensor([0.5, 0.5, 0.5]).view(3, 1, 1)
        self.deviation = torch.tensor([0.25, 0.25, 0.25]).view(3, 1, 1)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return (self.images[i].float() / 255 - self.mean) / self.deviation, self.labels[i]


@torch.no_grad()
def loop(arguments):
    """Returns images per second of whole points: new weights, then losses over all images."""
    model = made(arguments).eval()
    origin = [p.clone() for p in model.parameters()]
    x, y = ([torch.randn_like(p) * 0.01 for p in origin] for _ in range(2))
    loader = DataLoader(Bytes(arguments.images), batch_size=128, num_workers=2)

    def point():
        for p, w, dx, dy in zip(model.parameters(), origin, x, y):
            p.data = w + (0.5 * dx + 0.25 * dy)
        loss, correct = 0, 0
        for images, labels in loader:
            outputs = model(images)
            loss += F.cross_entropy(outputs, labels).item() * len(labels)
            correct += outputs.argmax(1).eq(labels).sum().item()
    return arguments.images / median_seconds(point, 3, warm_up=1)


def in_a_process_of_its_own(measure, threads):
    """Returns measure()'s figure and the peak memory, which excludes other competitors' buffers."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        speed = measure()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(writer, json.dumps({"images_per_second": speed, "peak_mib": peak}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        result = json.loads(pipe.read())
    os.wait()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["training", "inference", "curvature"])
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--module", default="")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--batches", default="128")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--bn", choices=["frozen", "batch"], default="frozen")
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    work = {}
    for name, layout in LAYOUTS.items():
        if arguments.what == "training":
            work[f"torch {name}"] = lambda layout=layout: training(arguments, layout)
        elif arguments.what == "curvature":
            work[f"torch {name}"] = lambda layout=layout: curvature(arguments, layout)
        else:
            work[f"torch eager {name}"] = lambda layout=layout: inference(arguments, layout)
            work[f"torch jit {name}"] = lambda layout=layout: inference(arguments, layout, frozen)
    if arguments.what == "inference":
        work["torch jit optimised"] = lambda: inference(arguments, torch.contiguous_format,
                                                        optimised)
        work["torch loop"] = lambda: loop(arguments)
    print(json.dumps({name: in_a_process_of_its_own(measure, arguments.threads)
                      for name, measure in work.items()}))


if __name__ == "__main__":
    main()
