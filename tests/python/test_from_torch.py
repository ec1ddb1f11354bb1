#!/usr/bin/python3
"""Networks of PyTorch in the package topograd, and surfaces of functions of PyTorch's.

    PYTHONPATH=build/checks/python tests/python/test_from_torch.py
"""

import sys
import unittest
import warnings

try:
    import numpy
    import torch
    import topograd
    from torch import nn
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def residual_network():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU(), Block(8, 8, 1), Block(8, 16, 2),
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    network.train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(32, 3, 16, 16))  # running statistics
    return network.eval()


def loss_of(network, images, labels):
    with torch.no_grad():
        return nn.functional.cross_entropy(network(images), labels).item()


class FromTorch(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", topograd.NoteWarning)
        self.module = residual_network()
        generator = torch.Generator().manual_seed(2)
        self.images = torch.randn(64, 3, 16, 16, generator=generator)
        self.labels = torch.randint(0, 10, (64,), generator=generator)
        self.network = topograd.from_torch(self.module, self.images[:1])

    def test_three_lines(self):
        s = topograd.surface(self.network, self.images, self.labels, x=(-1, 1, 5), y=(-1, 1, 5))
        self.assertAlmostEqual(s.loss[2, 2], loss_of(self.module, self.images, self.labels), delta=1e-5 * s.loss[2, 2])
        self.assertEqual(s.provenance["network"], "Sequential")

    def test_named_networks_of_one_architecture_have_a_line(self):
        other = topograd.from_torch(residual_network(), (16, 16, 3), name="b/c d")
        named = topograd.from_torch(self.module, self.images[:1], name="a")
        line = topograd.line(named, other, self.images, self.labels, x=(0, 1, 3))
        self.assertEqual((line.provenance["network"], line.loss.shape), ("a", (3,)))

    def test_modules_of_other_precisions_are_taken(self):
        network = topograd.from_torch(residual_network().double(), self.images[:1], mean=0.5, std=0.25)
        self.assertEqual(network.normalisation, ([0.5] * 3, [0.25] * 3))
        with self.assertRaisesRegex(TypeError, "leave out"):
            topograd.from_torch(self.module, self.images[:1], mean=0.5, normalisation="cifar10")
        with self.assertRaisesRegex(topograd.Error, "height, width, channels"):
            topograd.from_torch(self.module, (28, 28))

    def test_numbers_go_back_at_any_point(self):
        s = topograd.surface(self.network, self.images, self.labels, x=(-1, 1, 3), y=(-1, 1, 3))
        moved = topograd.to_torch(self.network.at(s, 1, -1), residual_network())
        self.assertAlmostEqual(s.loss[0, 2], loss_of(moved, self.images, self.labels), delta=1e-4 * s.loss[0, 2])
        tensors = topograd.to_torch(self.network)
        for name, value in self.module.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                self.assertTrue(torch.equal(tensors[name], value), name)
        with self.assertRaisesRegex(topograd.Error, "other tensors"):
            topograd.to_torch(self.network, nn.Linear(3, 3))

    def test_the_operator_is_double_backward(self):
        matrix = topograd.hessian_operator(self.network, self.images, self.labels)
        double = residual_network().double()
        parameters = list(double.parameters())
        v = torch.randn(matrix.shape[0], generator=torch.Generator().manual_seed(3), dtype=torch.float64)
        loss = nn.functional.cross_entropy(double(self.images.double()), self.labels)
        gradient = torch.autograd.grad(loss, parameters, create_graph=True)
        flat = nn.utils.parameters_to_vector(gradient)
        product = nn.utils.parameters_to_vector([g.contiguous() for g in torch.autograd.grad(flat @ v, parameters)])
        got = torch.from_numpy(matrix.matvec(v.numpy())).double()
        self.assertLess((got - product).norm() / product.norm(), 1e-4)
        ours = torch.from_numpy(matrix.gradient()[1]).double()
        self.assertLess((ours - flat.detach()).norm() / flat.norm(), 1e-4)

    def test_what_cannot_be_taken_over_is_refused_in_one_line(self):
        class Loops(nn.Module):
            def forward(self, x):
                while x.sum() > 0:
                    x = x - 1
                return x.flatten(1)

        for module, words in ((Loops(), r"^test_from_torch.py:\d+: "), (nn.LSTM(3, 3), "3 dimensions")):
            with self.assertRaisesRegex(topograd.Error, words) as caught:
                topograd.from_torch(module, (16, 16, 3))
            self.assertEqual(len(str(caught.exception).splitlines()), 1)
        with self.assertRaisesRegex(TypeError, "from_torch"):
            topograd.surface(self.module, self.images, self.labels)
        with self.assertRaisesRegex(topograd.Error, "give images"):
            topograd.from_torch(self.module, self.images[0])

    def test_a_training_goes_on_from_a_module(self):
        images = (self.images.permute(0, 2, 3, 1).numpy(), self.labels.numpy())
        run = topograd.train(self.network, *images, test=images, epochs=2, batch_size=32, lr=0.05)
        trained = topograd.to_torch(run.network, residual_network())
        self.assertLess(loss_of(trained, self.images, self.labels), loss_of(self.module, self.images, self.labels))
        self.assertTrue(numpy.isfinite(run.log["train_loss"]).all())


if __name__ == "__main__":
    unittest.main()
