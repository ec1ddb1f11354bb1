"""Networks after transformers: LayerNorm, and linear layers over the last axis or over patches."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from networks.residual import DropPath, StochasticDepth


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm of channels first, as torchvision writes it."""

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        x = x.permute(0, 3, 1, 2)
        return x


class Permute(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return torch.permute(x, self.dims)


class ConvNeXt(nn.Module):
    """Liu et al., 2022, A ConvNet for the 2020s, as torchvision writes it: layer scale is a parameter [C, 1, 1]."""

    class CNBlock(nn.Module):
        def __init__(self, dim, layer_scale, stochastic_depth_prob):
            super().__init__()
            self.block = nn.Sequential(
                nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim, bias=True),
                Permute([0, 2, 3, 1]),
                nn.LayerNorm(dim, eps=1e-6),
                nn.Linear(in_features=dim, out_features=4 * dim, bias=True),
                nn.GELU(),
                nn.Linear(in_features=4 * dim, out_features=dim, bias=True),
                Permute([0, 3, 1, 2]),
            )
            self.layer_scale = nn.Parameter(torch.ones(dim, 1, 1) * layer_scale)
            self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

        def forward(self, input):
            result = self.layer_scale * self.block(input)
            result = self.stochastic_depth(result)
            result += input
            return result

    def __init__(self):
        super().__init__()
        norm = partial(LayerNorm2d, eps=1e-6)
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 8, kernel_size=4, stride=4), norm(8)),
            nn.Sequential(self.CNBlock(8, 1e-6, 0.0)),
            nn.Sequential(norm(8), nn.Conv2d(8, 12, kernel_size=2, stride=2)),
            nn.Sequential(self.CNBlock(12, 1e-6, 0.05), self.CNBlock(12, 1e-6, 0.1)))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm(12), nn.Flatten(1), nn.Linear(12, 10))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)))


class ConvNeXtPermuted(nn.Module):
    """The same paper as its authors write it: channels last within a block, layer scale is a parameter [C], and the
    last LayerNorm is of vectors."""

    class Block(nn.Module):
        def __init__(self, dim, drop_path=0., layer_scale_init_value=1e-6):
            super().__init__()
            self.dwconv = nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim)
            self.norm = nn.LayerNorm(dim, eps=1e-6)
            self.pwconv1 = nn.Linear(dim, 4 * dim)
            self.act = nn.GELU()
            self.pwconv2 = nn.Linear(4 * dim, dim)
            self.gamma = nn.Parameter(layer_scale_init_value * torch.ones((dim)), requires_grad=True) \
                if layer_scale_init_value > 0 else None
            self.drop_path = DropPath(drop_path) if drop_path > 0. else nn.Identity()

        def forward(self, x):
            input = x
            x = self.dwconv(x)
            x = x.permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
            x = self.norm(x)
            x = self.pwconv1(x)
            x = self.act(x)
            x = self.pwconv2(x)
            if self.gamma is not None:
                x = self.gamma * x
            x = x.permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
            x = input + self.drop_path(x)
            return x

    def __init__(self):
        super().__init__()
        self.downsample_layers = nn.ModuleList([
            nn.Conv2d(3, 8, kernel_size=4, stride=4),
            nn.Sequential(nn.GroupNorm(1, 8), nn.Conv2d(8, 12, kernel_size=2, stride=2))])
        self.stages = nn.ModuleList([nn.Sequential(self.Block(8)), nn.Sequential(self.Block(12, 0.1))])
        self.norm = nn.LayerNorm(12, eps=1e-6)
        self.head = nn.Linear(12, 10)

    def forward_features(self, x):
        for i in range(2):
            x = self.downsample_layers[i](x)
            x = self.stages[i](x)
        return self.norm(x.mean([-2, -1]))  # global average pooling, (N, C, H, W) -> (N, C)

    def forward(self, x):
        return self.head(self.forward_features(x))


class ConvNeXtSpelled(nn.Module):
    """The same authors' LayerNorm of channels first, whose formula is spelled out."""

    class LayerNorm(nn.Module):
        def __init__(self, normalized_shape, eps=1e-6):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(normalized_shape))
            self.bias = nn.Parameter(torch.zeros(normalized_shape))
            self.eps = eps

        def forward(self, x):
            u = x.mean(1, keepdim=True)
            s = (x - u).pow(2).mean(1, keepdim=True)
            x = (x - u) / torch.sqrt(s + self.eps)
            x = self.weight[:, None, None] * x + self.bias[:, None, None]
            return x

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 4, 4), self.LayerNorm(8))
        self.block = ConvNeXtPermuted.Block(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.block(self.stem(x)).mean([-2, -1]))


class ConvMixer(nn.Sequential):
    """Trockman and Kolter, 2022, Patches Are All You Need?"""

    class Residual(nn.Module):
        def __init__(self, fn):
            super().__init__()
            self.fn = fn

        def forward(self, x):
            return self.fn(x) + x

    def __init__(self, dim=12, depth=2, kernel_size=5, patch_size=4, n_classes=10):
        super().__init__(
            nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size),
            nn.GELU(),
            nn.BatchNorm2d(dim),
            *[nn.Sequential(
                self.Residual(nn.Sequential(
                    nn.Conv2d(dim, dim, kernel_size, groups=dim, padding="same"),
                    nn.GELU(),
                    nn.BatchNorm2d(dim)
                )),
                nn.Conv2d(dim, dim, kernel_size=1),
                nn.GELU(),
                nn.BatchNorm2d(dim)
            ) for i in range(depth)],
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten(),
            nn.Linear(dim, n_classes))


class Mlp(nn.Module):
    def __init__(self, features, hidden, act_layer=nn.GELU, drop=0.0):
        super().__init__()
        self.fc1 = nn.Linear(features, hidden)
        self.act = act_layer()
        self.drop = nn.Dropout(drop)
        self.fc2 = nn.Linear(hidden, features)

    def forward(self, x):
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class MLPMixer(nn.Module):
    """Tolstikhin et al., 2021, MLP-Mixer: An all-MLP Architecture for Vision."""

    class MixerBlock(nn.Module):
        def __init__(self, dim, seq_len):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
            self.mlp_tokens, self.mlp_channels = Mlp(seq_len, seq_len // 2), Mlp(dim, dim * 2, drop=0.1)

        def forward(self, x):
            x = x + self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            x = x + self.mlp_channels(self.norm2(x))
            return x

    def __init__(self, dim=12, patch=8):
        super().__init__()
        self.stem = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.blocks = nn.Sequential(*[self.MixerBlock(dim, (32 // patch) ** 2) for _ in range(2)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)  # BCHW -> BNC
        x = self.norm(self.blocks(x))
        x = x.mean(dim=1)
        return self.head(x)


class ResMLP(nn.Module):
    """Touvron et al., 2021, ResMLP: Feedforward networks for image classification with data-efficient training: affine
    layers of parameters, and one linear layer over patches."""

    class Affine(nn.Module):
        def __init__(self, dim):
            super().__init__()
            self.alpha = nn.Parameter(torch.ones(dim))
            self.beta = nn.Parameter(torch.zeros(1, 1, dim))

        def forward(self, x):
            return self.alpha * x + self.beta

    class Layer(nn.Module):
        def __init__(self, dim, patches):
            super().__init__()
            self.norm1, self.norm2 = ResMLP.Affine(dim), ResMLP.Affine(dim)
            self.attn = nn.Linear(patches, patches)
            self.mlp = Mlp(dim, 2 * dim)
            self.gamma_1 = nn.Parameter(0.1 * torch.ones((dim)), requires_grad=True)
            self.gamma_2 = nn.Parameter(0.1 * torch.ones((dim)), requires_grad=True)

        def forward(self, x):
            x = x + self.gamma_1 * self.attn(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            x = x + self.gamma_2 * self.mlp(self.norm2(x))
            return x

    def __init__(self, dim=10):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, kernel_size=8, stride=8)
        self.blocks = nn.ModuleList([self.Layer(dim, 16) for _ in range(2)])
        self.norm = self.Affine(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        B = x.shape[0]
        x = self.patch_embed(x)
        x = x.flatten(2).transpose(1, 2)
        for blk in self.blocks:
            x = blk(x)
        x = self.norm(x)
        x = x.mean(dim=1).reshape(B, 1, -1)
        return self.head(x[:, 0])


class GMLP(nn.Module):
    """Liu et al., 2021, Pay Attention to MLPs: half of the channels gate the other half, after a linear layer
    over patches."""

    class Block(nn.Module):
        def __init__(self, d_model, d_ffn, seq_len):
            super().__init__()
            self.norm = nn.LayerNorm(d_model)
            self.channel_proj1 = nn.Linear(d_model, d_ffn * 2)
            self.channel_proj2 = nn.Linear(d_ffn, d_model)
            self.sgu_norm = nn.LayerNorm(d_ffn)
            self.spatial_proj = nn.Linear(seq_len, seq_len)

        def forward(self, x):
            residual = x
            x = self.norm(x)
            x = F.gelu(self.channel_proj1(x))
            u, v = x.chunk(2, dim=-1)
            v = self.sgu_norm(v)
            v = self.spatial_proj(v.transpose(-1, -2)).transpose(-1, -2)
            x = self.channel_proj2(u * v)
            return x + residual

    def __init__(self, d_model=10):
        super().__init__()
        self.patcher = nn.Conv2d(3, d_model, 8, 8)
        self.blocks = nn.Sequential(self.Block(d_model, 8, 16), self.Block(d_model, 8, 16))
        self.classifier = nn.Linear(d_model, 10)

    def forward(self, x):
        patches = self.patcher(x)
        batch_size, num_channels, _, _ = patches.shape
        patches = patches.permute(0, 2, 3, 1)
        patches = patches.view(batch_size, -1, num_channels)
        return self.classifier(self.blocks(patches).mean(1))


class PoolFormer(nn.Module):
    """Yu et al., 2022, MetaFormer Is Actually What You Need for Vision: a pool less the image mixes tokens."""

    class Block(nn.Module):
        def __init__(self, dim, drop_path):
            super().__init__()
            self.norm1, self.norm2 = nn.GroupNorm(1, dim), nn.GroupNorm(1, dim)
            self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
            self.mlp = nn.Sequential(nn.Conv2d(dim, 2 * dim, 1), nn.GELU(), nn.Conv2d(2 * dim, dim, 1))
            self.drop_path = DropPath(drop_path)
            self.layer_scale_1 = nn.Parameter(1e-5 * torch.ones((dim)), requires_grad=True)
            self.layer_scale_2 = nn.Parameter(1e-5 * torch.ones((dim)), requires_grad=True)

        def token_mixer(self, x):
            return self.pool(x) - x

        def forward(self, x):
            x = x + self.drop_path(self.layer_scale_1.unsqueeze(-1).unsqueeze(-1) * self.token_mixer(self.norm1(x)))
            x = x + self.drop_path(self.layer_scale_2.unsqueeze(-1).unsqueeze(-1) * self.mlp(self.norm2(x)))
            return x

    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, 10, kernel_size=7, stride=4, padding=2)
        self.network = nn.ModuleList([self.Block(10, 0.0), nn.Conv2d(10, 12, 3, 2, 1), self.Block(12, 0.1)])
        self.norm = nn.GroupNorm(1, 12)
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.patch_embed(x)
        for block in self.network:
            x = block(x)
        x = self.norm(x)
        return self.head(x.mean([-2, -1]))


class VAN(nn.Module):
    """Guo et al., 2022, Visual Attention Network: attention is a product with a dilated convolution's output."""

    class LKA(nn.Module):
        def __init__(self, dim):
            super().__init__()
            self.conv0 = nn.Conv2d(dim, dim, 5, padding=2, groups=dim)
            self.conv_spatial = nn.Conv2d(dim, dim, 7, stride=1, padding=9, groups=dim, dilation=3)
            self.conv1 = nn.Conv2d(dim, dim, 1)

        def forward(self, x):
            u = x.clone()
            attn = self.conv0(x)
            attn = self.conv_spatial(attn)
            attn = self.conv1(attn)
            return u * attn

    def __init__(self, dim=8):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, dim, 7, 4, 3), nn.BatchNorm2d(dim))
        self.proj_1, self.activation = nn.Conv2d(dim, dim, 1), nn.GELU()
        self.spatial_gating_unit = self.LKA(dim)
        self.proj_2 = nn.Conv2d(dim, dim, 1)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.stem(x)
        shortcut = x.clone()
        x = self.proj_2(self.spatial_gating_unit(self.activation(self.proj_1(x))))
        x = x + shortcut
        return self.head(x.flatten(2).transpose(1, 2).mean(dim=1))
