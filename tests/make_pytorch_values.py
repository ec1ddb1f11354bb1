#!/usr/bin/python3
"""Small numbers of PyTorch's that the tests compare with, in double precision.

    tests/make_pytorch_values.py > tests/pytorch_values.h
"""

import torch
from torch.nn import functional
from torch.optim import lr_scheduler


def array(values):
    return "{" + ", ".join(repr(float(value)) for value in values) + "}"


LABELS = [0, 1, 3]
WEIGHTS = [0.5, 2.0, 1.0, 1.5]
PROBABILITIES = [[0.5, 0.25, 0.25, 0.0], [0.0, 1.0, 0.0, 0.0], [0.125, 0.375, 0.25, 0.25]]
QUANTITIES = [[1.0, -2.0, 0.25, 4.5], [0.0, 0.5, -4.0, 3.0], [9.5, -18.0, 0.0, 1.0]]
SEVERAL = [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]]


def softmax_focal(gamma, weight=None):
    """Lin et al., 2017, equation 5, of a softmax: PyTorch has no such loss."""
    def of(logits, labels):
        entropies = functional.cross_entropy(logits, labels, reduction="none")
        scale = 1 if weight is None else weight[labels]
        return scale * (1 - torch.exp(-entropies)) ** gamma * entropies
    return of


def sigmoid_focal(gamma):
    """The same of several labels an image, as torchvision.ops.sigmoid_focal_loss without alpha."""
    def of(logits, targets):
        entropies = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p = torch.sigmoid(logits)
        right = p * targets + (1 - p) * (1 - targets)
        return ((1 - right) ** gamma * entropies).mean(1)
    return of


def multi_margin(p, margin, weight):
    """MultiMarginLoss, once more of functions that can be differentiated twice, as it cannot."""
    def of(logits, labels):
        overlaps = torch.relu(margin - logits.gather(1, labels[:, None]) + logits)
        others = 1 - functional.one_hot(labels, logits.shape[1])
        losses = (weight[labels][:, None] * others * overlaps ** p).mean(1)
        module = torch.nn.MultiMarginLoss(p=p, margin=margin, weight=weight, reduction="none")
        assert torch.allclose(losses, module(logits, labels), rtol=1e-14)
        return losses
    return of


def image_losses():
    """Pairs of a loss as topograd names it, its targets, and PyTorch's function of logits and targets."""
    def per_image(module):
        def of(logits, targets):
            losses = module(logits, targets)
            return losses if losses.dim() == 1 else losses.mean(1)
        return of

    classes = torch.tensor(LABELS)
    weight = torch.tensor(WEIGHTS, dtype=torch.float64)
    weights = "weights=" + "/".join(repr(w) for w in WEIGHTS)
    nn = torch.nn
    options = {"reduction": "none"}
    for smoothing in (0.0, 0.1, 0.3, 1.0):
        yield f"cross_entropy:{smoothing}", classes, per_image(
            nn.CrossEntropyLoss(label_smoothing=smoothing, **options))
    yield f"cross_entropy:{weights}", classes, per_image(nn.CrossEntropyLoss(weight, **options))
    yield f"cross_entropy:0.2:{weights}", classes, per_image(
        nn.CrossEntropyLoss(weight, label_smoothing=0.2, **options))
    yield "cross_entropy", PROBABILITIES, per_image(nn.CrossEntropyLoss(**options))
    yield f"cross_entropy:0.1:{weights}", PROBABILITIES, per_image(
        nn.CrossEntropyLoss(weight, label_smoothing=0.1, **options))
    yield "squared_error", QUANTITIES, per_image(nn.MSELoss(**options))
    yield "absolute_error", QUANTITIES, per_image(nn.L1Loss(**options))
    yield "huber", QUANTITIES, per_image(nn.HuberLoss(**options))
    yield "huber:0.4", QUANTITIES, per_image(nn.HuberLoss(delta=0.4, **options))
    yield "bce", PROBABILITIES, per_image(nn.BCEWithLogitsLoss(**options))
    yield f"bce:{weights}", SEVERAL, per_image(nn.BCEWithLogitsLoss(weight, **options))
    yield "bce", classes, lambda logits, labels: functional.binary_cross_entropy_with_logits(
        logits, functional.one_hot(labels, 4).double(), reduction="none").mean(1)
    yield "focal", classes, softmax_focal(2.0)
    yield f"focal:0.5:{weights}", classes, softmax_focal(0.5, weight)
    yield "focal:0", classes, softmax_focal(0.0)
    yield "focal", SEVERAL, sigmoid_focal(2.0)
    yield "focal:1.5", SEVERAL, sigmoid_focal(1.5)
    ones = torch.ones(4, dtype=torch.float64)
    yield "hinge", classes, multi_margin(1, 1.0, ones)
    yield f"hinge:2.5:{weights}", classes, multi_margin(1, 2.5, weight)
    yield "squared_hinge", classes, multi_margin(2, 1.0, ones)
    yield f"squared_hinge:1.5:{weights}", classes, multi_margin(2, 1.5, weight)


def all_losses():
    logits = torch.tensor([[1.5, -0.25, 0.5, 3.0], [0.0, 2.0, -4.0, 1.0], [10.0, -20.0, 0.25, -1.0]],
                          dtype=torch.float64, requires_grad=True)
    along = torch.tensor([[0.5, -1.0, 2.0, 0.25], [1.0, 0.0, -0.5, 3.0], [-2.0, 1.5, 0.75, -0.25]],
                         dtype=torch.float64)
    print("\n/// Losses of the same logits, of the labels 0, 1, 3 or of numbers: each image's, the gradient "
          "of their\n/// mean, and its derivative along kLossDirection, by PyTorch's double backward.")
    print(f"constexpr double kLossLogits[12] = {array(logits.flatten())};")
    print(f"constexpr double kLossDirection[12] = {array(along.flatten())};")
    print("struct LossValues {\n  const char* loss;\n  bool numbers;\n  double targets[12];\n"
          "  double losses[3];\n  double gradient[12];\n  double product[12];\n};")
    print("constexpr LossValues kLossValues[] = {")
    for name, given, loss in image_losses():
        numbers = isinstance(given, list)
        targets = torch.tensor(given, dtype=torch.float64) if numbers else given
        losses = loss(logits, targets)
        gradient, = torch.autograd.grad(losses.mean(), logits, create_graph=True)
        product = torch.zeros_like(logits)
        if gradient.requires_grad:
            found, = torch.autograd.grad((gradient * along).sum(), logits, allow_unused=True)
            product = product if found is None else found
        shown = targets.flatten() if numbers else torch.zeros(12)
        print(f'    {{"{name}", {str(numbers).lower()}, {array(shown)}, {array(losses)}, '
              f"{array(gradient.flatten())}, {array(product.flatten())}}},")
    print("};")


def rates(make, steps):
    """The learning rate that each of so many steps takes."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = make(optimizer)
    taken = []
    for step in range(steps):
        taken.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
    return taken


def schedules():
    print("\n/// The rates of each step. OneCycleLR(max_lr=0.4, total_steps=20), and of 7 steps with "
          "pct_start=0.5,\n/// div_factor=10, final_div_factor=100; PolynomialLR(total_iters=8, "
          "power=2) from 0.1.")

    def one_cycle(steps, **more):
        return rates(lambda optimizer: lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.4, total_steps=steps, cycle_momentum=False, **more), steps)

    print(f"constexpr double kOneCycle[] = {array(one_cycle(20))};")
    short = one_cycle(7, pct_start=0.5, div_factor=10, final_div_factor=100)
    print(f"constexpr double kShortOneCycle[] = {array(short)};")
    polynomial = rates(lambda optimizer: lr_scheduler.PolynomialLR(optimizer, 8, power=2.0), 9)
    print(f"constexpr double kPolynomial[] = {array(polynomial)};")


def adam():
    print("\n/// Adam and AdamW (lr 0.1, betas 0.8 and 0.95, eps 1e-3, weight decay 0.2) from 0.5 with "
          "the gradients\n/// 0.3, -0.7, 0.3, -0.7: where they stand after each step.")
    for name, optimizer_class in (("kAdam", torch.optim.Adam), ("kAdamW", torch.optim.AdamW)):
        theta = torch.nn.Parameter(torch.tensor([0.5], dtype=torch.float64))
        optimizer = optimizer_class([theta], lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2)
        path = []
        for step in range(4):
            theta.grad = torch.tensor([0.3 if step % 2 == 0 else -0.7], dtype=torch.float64)
            optimizer.step()
            path.append(theta.item())
        print(f"constexpr double {name}[] = {array(path)};")


def main():
    print("// PyTorch's numbers, printed by make_pytorch_values.py with PyTorch "
          f"{torch.__version__.split('+')[0]}.\n// clang-format off\n#pragma once\n")
    print("namespace topograd::test::pytorch {\n")
    all_losses()
    schedules()
    adam()
    print("\n}  // namespace topograd::test::pytorch\n// clang-format on")


if __name__ == "__main__":
    main()
