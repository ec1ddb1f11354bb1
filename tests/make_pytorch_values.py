#!/usr/bin/python3
"""Small numbers of PyTorch's that the tests compare with, in double precision.

    tests/make_pytorch_values.py > tests/pytorch_values.h
"""

import torch
from torch.optim import lr_scheduler


def array(values):
    return "{" + ", ".join(repr(float(value)) for value in values) + "}"


def smoothed_losses():
    logits = torch.tensor([[1.5, -0.25, 0.5, 3.0], [0.0, 2.0, -4.0, 1.0], [10.0, -20.0, 0.25, -1.0]],
                          dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 3])
    print("/// CrossEntropyLoss(label_smoothing) of three images with the labels 0, 1, 3: each one's "
          "loss, and\n/// the gradient of their mean.")
    print("struct SmoothedLosses {\n  double smoothing;\n  double losses[3];\n"
          "  double gradient[12];\n};")
    print(f"constexpr double kSmoothedLogits[12] = {array(logits.flatten())};")
    print("constexpr SmoothedLosses kSmoothedLosses[] = {")
    for smoothing in (0.0, 0.1, 0.3, 1.0):
        logits.grad = None
        losses = torch.nn.CrossEntropyLoss(label_smoothing=smoothing, reduction="none")(logits, labels)
        losses.mean().backward()
        print(f"    {{{smoothing}, {array(losses)}, {array(logits.grad.flatten())}}},")
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
    smoothed_losses()
    schedules()
    adam()
    print("\n}  // namespace topograd::test::pytorch\n// clang-format on")


if __name__ == "__main__":
    main()
