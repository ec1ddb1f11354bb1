"""What a module of one operation is made of, and random weights for any module: for operations.py and the tests.

OPERATIONS: names, and for each what makes the module and the image (height, width, channels) that it takes; probes()
enters them.
"""

import copy
from functools import partial

import torch
from torch import nn
from exporter.torch_outputs import logits_in

IMAGE = (5, 7, 3)
CLASSES = 5
OPERATIONS = {}


class Probe(nn.Module):
    """Classifier whose middle is an operation: a module, or a function of tensors [N, channels, H, W]."""

    def __init__(self, operation, channels, image):
        super().__init__()
        self.first = nn.Conv2d(image[2], channels, 3, padding=1)
        self.operation = copy.deepcopy(operation)
        with torch.no_grad():
            features = self.operation(self.first(torch.randn(2, image[2], *image[:2])))[0].numel()
        self.last = nn.Linear(features, CLASSES)

    def forward(self, x):
        return self.last(torch.flatten(self.operation(self.first(x)), 1))


class Parametrised(nn.Module):
    """A function of the images and of a parameter of this shape."""

    def __init__(self, shape, function):
        super().__init__()
        self.parameter = nn.Parameter(torch.ones(shape))
        self.function = function

    def forward(self, x):
        return self.function(x, self.parameter)


class Call(nn.Module):
    """A function as a part of a Sequential."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def probe(name, operation, channels=6, image=IMAGE):
    OPERATIONS[name] = (partial(Probe, operation, channels, image), image)


def probes(name, table, channels=6, image=IMAGE):
    for what, operation in table.items():
        probe(f"{name}: {what}", operation, channels, image)


def tokens(x):
    """[N, C, H, W] as [N, H W, C]."""
    return x.flatten(2).transpose(1, 2)


def vector(x):
    return x.mean((2, 3))


def on_tokens(*layers):
    return nn.Sequential(Call(tokens), *layers)


def on_vectors(*layers):
    return nn.Sequential(Call(vector), *layers)


def randomise(module, image, seed=0):
    """Draws all parameters and running statistics of a module for images (height, width, channels), at scales at which
    logits are of order one. Statistics are those of random images, each changed by some tenths."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # what drops, in the pass below

    def normal(tensor, deviation):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)

    def uniform(tensor, low, high):
        tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))

    def layers(*kinds):
        return [layer for layer in module.modules() if isinstance(layer, kinds)]

    weighted = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    normed = layers(nn.BatchNorm1d, nn.BatchNorm2d)
    images = torch.randn(8, image[2], image[0], image[1], generator=generator)
    with torch.no_grad():
        for layer in module.modules():
            for name, parameter in layer.named_parameters(recurse=False):
                if isinstance(layer, weighted) and name == "weight":
                    transposed = isinstance(layer, nn.ConvTranspose2d)
                    inputs = parameter[:, 0].numel() / numel(layer.stride) if transposed else parameter[0].numel()
                    normal(parameter, (1.5 / inputs) ** 0.5)
                elif name in ("bias", "beta"):
                    normal(parameter, 0.2)
                elif isinstance(layer, Parametrised) and parameter.dim() in (2, 4) and parameter.shape[0] > 1:
                    normal(parameter, (1.5 / parameter[0].numel()) ** 0.5)  # a weight without a layer
                else:
                    uniform(parameter, 0.5, 1.5)
        training = module.training
        momenta = [norm.momentum for norm in normed]
        for norm in normed:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all passes
        module.train()(images)
        for norm, momentum in zip(normed, momenta):
            norm.momentum = momentum
            norm.running_mean += torch.randn(norm.num_features, generator=generator) * 0.3 * norm.running_var.sqrt()
            norm.running_var *= 0.7 + torch.rand(norm.num_features, generator=generator)
        module.eval()
        last = layers(*weighted)[-1]
        scale = 1.5 / logits_in(module(images))[0].std()
        for parameter in last.parameters():
            parameter *= scale
        module.train(training)
    return module


def numel(extents):
    return extents[0] * extents[1]
