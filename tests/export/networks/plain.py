"""Plain convolutional networks."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


class LeNet5(nn.Sequential):
    """LeCun et al., 1998, Gradient-Based Learning Applied to Document Recognition: tanh, average pooling."""

    def __init__(self, classes=10):
        super().__init__(
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(16 * 5 * 5, 60), nn.Tanh(), nn.Linear(60, 42), nn.Tanh(), nn.Linear(42, classes))


class MnistExample(nn.Module):
    """PyTorch's own example for MNIST, which ends in log_softmax."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, 1)
        self.conv2 = nn.Conv2d(6, 12, 3, 2)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(432, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout2(x)
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output


class AlexNet(nn.Module):
    """Krizhevsky et al., 2012, ImageNet Classification with Deep Convolutional Neural Networks; for images that are not
    square, pooled to a grid that is not square, and without the local response normalisation."""

    def __init__(self, num_classes=10, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 12, kernel_size=7, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(12, 16, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 16, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((2, 3))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(16 * 2 * 3, 32),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(32, num_classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = x.view(x.size(0), 16 * 2 * 3)
        x = self.classifier(x)
        return x


class VGG(nn.Module):
    """Simonyan and Zisserman, 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition; of a table,
    with BatchNorm."""

    cfg = [6, "M", 12, "M", 16, 16, "M", 24, 24, "M", 24, "M"]

    def __init__(self):
        super(VGG, self).__init__()
        layers = []
        in_channels = 3
        for x in self.cfg:
            if x == "M":
                layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
            else:
                layers += [nn.Conv2d(in_channels, x, kernel_size=3, padding=1),
                           nn.BatchNorm2d(x),
                           nn.ReLU(inplace=True)]
                in_channels = x
        layers += [nn.AvgPool2d(kernel_size=1, stride=1)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(24, 10)

    def forward(self, x):
        out = self.features(x)
        out = out.view(out.size(0), -1)
        return self.classifier(out)


class NetworkInNetwork(nn.Module):
    """Lin et al., 2014, Network In Network: convolutions of 1x1 between, and classes as channels."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleDict(OrderedDict(
            one=self.block(3, 12, 5), two=self.block(12, 16, 5), three=self.block(16, 16, 3, classes=10)))

    @staticmethod
    def block(channels, width, kernel, classes=None):
        return nn.Sequential(nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2), nn.ReLU(),
                             nn.Conv2d(width, width - 4, 1), nn.ReLU(),
                             nn.Conv2d(width - 4, classes or width, 1), nn.ReLU())

    def forward(self, x):
        for name, block in self.blocks.items():
            x = block(x)
            if name == "one":
                x = F.max_pool2d(x, 3, 1, padding=1)
            elif name == "two":
                x = F.dropout(F.avg_pool2d(x, 3, 1, 1), 0.5, self.training)
        return x.mean(dim=(-2, -1))


class AllConvolutional(nn.Module):
    """Springenberg et al., 2015, Striving for Simplicity: The All Convolutional Net; it halves as long as the image is
    large."""

    def __init__(self, width=8):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, 1, 1)
        self.halving = nn.ModuleList([nn.Conv2d(width, width, 3, 2, 1) for _ in range(3)])
        self.last = nn.Conv2d(width, 10, 1)

    def forward(self, x):
        x = F.leaky_relu(self.first(x), 0.1)
        i = 0
        while x.shape[-1] > 4:
            x = F.leaky_relu_(self.halving[i](x), 0.1)
            i += 1
        return F.adaptive_avg_pool2d(self.last(x), 1).squeeze(-1).squeeze(-1)


class WithDropout(nn.Module):
    """A network with every kind of dropout; Srivastava et al., 2014, Dropout: A Simple Way to Prevent Neural Networks
    from Overfitting, and Tompson et al., 2015 (of whole channels)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=5, stride=2)
        self.conv2 = nn.Conv2d(8, 12, kernel_size=3)
        self.conv2_drop = nn.Dropout2d(0.2)
        self.drop_in = nn.Dropout(0.1, inplace=True)
        self.fc1 = nn.Linear(12 * 6 * 6, 24)
        self.fc2 = nn.Linear(24, 10)

    def forward(self, x):
        x = F.elu(self.conv1(x))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.reshape(-1, 12 * 6 * 6)
        x = self.drop_in(x)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, p=0.5, training=self.training)
        return self.fc2(x)


class Perceptron(nn.Module):
    """A network without convolutions: Klambauer et al., 2017, Self-Normalizing Neural Networks, in its shape, with ELU,
    BatchNorm of vectors and a concatenation of vectors."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8 * 8 * 3, 24, bias=False)
        self.bn1 = nn.BatchNorm1d(24)
        self.fc2 = nn.Linear(24, 16)
        self.out = nn.Linear(24 + 16, 10)

    def forward(self, x):
        x = x.view(-1, x.shape[1:].numel())
        a = F.elu(self.bn1(self.fc1(x)))
        b = torch.sigmoid(self.fc2(a))
        return self.out(torch.cat((a, b), dim=-1))
