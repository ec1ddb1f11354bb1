"""Networks that make images larger again."""

import torch
from torch import nn
from torch.nn import functional as F

from networks.residual import BasicBlock, conv3x3


class UNet(nn.Module):
    """Ronneberger et al., 2015, U-Net: Convolutional Networks for Biomedical Image Segmentation, pooled to classes; up
    by bilinear interpolation, or by transposed convolutions, with differences of size padded."""

    class DoubleConv(nn.Module):
        def __init__(self, in_channels, out_channels, mid_channels=None):
            super().__init__()
            if not mid_channels:
                mid_channels = out_channels
            self.double_conv = nn.Sequential(
                nn.Conv2d(in_channels, mid_channels, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(mid_channels),
                nn.ReLU(inplace=True),
                nn.Conv2d(mid_channels, out_channels, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(inplace=True)
            )

        def forward(self, x):
            return self.double_conv(x)

    class Up(nn.Module):
        def __init__(self, in_channels, out_channels, bilinear=True):
            super().__init__()
            if bilinear:
                self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
                self.conv = UNet.DoubleConv(in_channels, out_channels, in_channels // 2)
            else:
                self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
                self.conv = UNet.DoubleConv(in_channels, out_channels)

        def forward(self, x1, x2):
            x1 = self.up(x1)
            diffY = x2.size()[2] - x1.size()[2]
            diffX = x2.size()[3] - x1.size()[3]
            x1 = F.pad(x1, [diffX // 2, diffX - diffX // 2, diffY // 2, diffY - diffY // 2])
            x = torch.cat([x2, x1], dim=1)
            return self.conv(x)

    def __init__(self, bilinear):
        super().__init__()
        factor = 2 if bilinear else 1
        self.first = nn.Conv2d(3, 4, 5, stride=3)  # 10 x 10
        self.inc = self.DoubleConv(4, 6)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), self.DoubleConv(6, 8))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), self.DoubleConv(8, 16 // factor))
        self.up1 = self.Up(16, 12 // factor, bilinear)
        self.up2 = self.Up(12, 6, bilinear)
        self.outc = nn.Conv2d(6, 10, kernel_size=1)

    def forward(self, x):
        x1 = self.inc(self.first(x))
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x = self.up1(x3, x2)
        x = self.up2(x, x1)
        logits = self.outc(x)
        return torch.mean(logits, dim=(2, 3))


class UNetNearest(nn.Module):
    """The same paper with nearest neighbours, resized to the size of what it is concatenated with, and a product at the
    end."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(a, b, 3, s, 1) for a, b, s in ((3, 6, 2), (6, 8, 2), (8, 12, 2))])
        self.up = nn.ModuleList([nn.Conv2d(12 + 8, 8, 3, 1, 1), nn.Conv2d(8, 6, 3, 1, 1)])
        self.head = nn.Linear(6, 10)

    def forward(self, x):
        skips = []
        for conv in self.down:
            x = F.leaky_relu(conv(x), negative_slope=0.2)
            skips.append(x)
        x = F.interpolate(x, size=skips[1].shape[2:], mode="nearest")
        x = F.softplus(self.up[0](torch.cat((x, skips[1]), 1)))
        x = nn.functional.interpolate(x, scale_factor=2)
        x = self.up[1](x)
        assert x.shape == skips[0].shape
        return self.head((x * skips[0]).flatten(2).mean(2))


class HRNet(nn.Module):
    """Sun et al., 2019, Deep High-Resolution Representation Learning: two resolutions that exchange what they have."""

    def __init__(self, c=6):
        super().__init__()
        self.relu = nn.ReLU(False)
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(True))
        lower = nn.Sequential(conv3x3(c, 2 * c, 2), nn.BatchNorm2d(2 * c), nn.ReLU(True))
        self.transition = nn.ModuleList([None, lower])
        self.branches = nn.ModuleList([BasicBlock(c, c), BasicBlock(2 * c, 2 * c)])
        up = nn.Sequential(nn.Conv2d(2 * c, c, 1, bias=False), nn.BatchNorm2d(c),
                           nn.Upsample(scale_factor=2, mode="nearest"))
        down = nn.Sequential(conv3x3(c, 2 * c, 2), nn.BatchNorm2d(2 * c))
        self.fuse_layers = nn.ModuleList([nn.ModuleList([None, up]), nn.ModuleList([down, None])])
        self.classifier = nn.Linear(3 * c, 10)

    def forward(self, x):
        x = self.stem(x)
        x = [t(x) if t is not None else x for t in self.transition]
        x = [branch(y) for branch, y in zip(self.branches, x)]
        x_fuse = []
        for i in range(len(self.fuse_layers)):
            y = x[0] if i == 0 else self.fuse_layers[i][0](x[0])
            for j in range(1, len(x)):
                y = y + (x[j] if i == j else self.fuse_layers[i][j](x[j]))
            x_fuse.append(self.relu(y))
        return self.classifier(torch.cat([F.adaptive_avg_pool2d(y, 1).view(y.size(0), -1) for y in x_fuse], dim=1))
