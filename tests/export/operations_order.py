"""Operations that apps/export_torch.py knows, each alone: the order of elements, and what is of training alone."""

import torch
from torch import nn
from torch.nn import functional as F

from probes import Call, on_tokens, on_vectors, probe, probes, tokens


def involution(x):
    """Li et al., 2021, Involution: weights of each pixel's window, made of the pixel."""
    weights = x[:, :1].sigmoid().expand(-1, 9, -1, -1) * x.tanh().mean(1, keepdim=True)
    windows = F.unfold(x, 3, padding=1).view(x.shape[0], 6, 9, 5, 7)
    return (weights.unsqueeze(1) * windows).sum(dim=2)


def setting(x, key, value):
    y = 1.5 * x
    y[key] = value
    return y


def adding_to_channels(x):
    y = 1.5 * x
    y[:, 1:3] += x[:, 3:5]
    return y


def shifted_channels(x):
    out = torch.zeros_like(x)
    out[:, :2, :, :-1] = x[:, :2, :, 1:]
    out[:, 2:4, 1:, :] = x[:, 2:4, :-1, :]
    out[:, 4:] = x[:, 4:]
    return out


# --- The order of elements -------------------------------------------------------------------

probes("order", {
    "flatten": nn.Flatten(),
    "flatten by keywords": lambda x: torch.flatten(input=x, start_dim=1),
    "view": lambda x: x.view(x.size(0), -1),
    "reshape": lambda x: x.reshape(-1, 210),
    "flatten of channels last": lambda x: x.permute(0, 2, 3, 1).flatten(1),
    "permute, convolved": nn.Sequential(Call(lambda x: x.permute(0, 2, 1, 3)), nn.Conv2d(5, 4, 3)),
    "transposed image": nn.Sequential(Call(lambda x: x.transpose(2, 3)), nn.Conv2d(6, 4, 3)),
    "width as channels": nn.Sequential(Call(lambda x: x.permute(0, 3, 1, 2).contiguous()), nn.Conv2d(7, 4, 3)),
    "channel shuffle": nn.Sequential(nn.ChannelShuffle(3), nn.Conv2d(6, 4, 3)),
    "channel shuffle by views": nn.Sequential(
        Call(lambda x: x.view(x.shape[0], 2, 3, 5, 7).transpose(1, 2).contiguous().view(x.shape[0], -1, 5, 7)),
        nn.Conv2d(6, 4, 3)),
    "unflatten": nn.Sequential(nn.Flatten(), nn.Unflatten(1, (6, 5, 7)), nn.Conv2d(6, 4, 3)),
    "reinterpreted": nn.Sequential(Call(lambda x: x.reshape(x.shape[0], 5, 6, 7)), nn.Conv2d(5, 4, 3)),
    "tokens and back": nn.Sequential(Call(lambda x: tokens(x).tanh().transpose(1, 2).reshape(x.shape)),
                                     nn.Conv2d(6, 4, 3)),
    "flip": nn.Sequential(Call(lambda x: torch.flip(x, [3])), nn.Conv2d(6, 4, 3)),
    "flip of two axes, added": lambda x: x.tanh() + x.flip(2, 3),
    "squeezed": lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(),
    "every second pixel": lambda x: x[:, :, ::2, ::2],
    "from the second pixel on": lambda x: x[:, :, 1:, 1:].tanh(),
    "every second pixel from the second on": lambda x: x[..., 1::2, 1::3],
    "the last channels": lambda x: x[:, -2:],
    "every third channel": nn.Sequential(Call(lambda x: x[:, 1::3]), nn.Conv2d(2, 4, 3)),
    "one channel": lambda x: x[:, 2],
    "one row": lambda x: x[:, :, 2],
    "narrow": lambda x: x.narrow(1, 1, 4).sigmoid(),
    "select": lambda x: torch.select(x, 1, 3).tanh(),
    "windows by F.unfold": lambda x: F.unfold(x, 3, padding=1, stride=2).tanh(),
    "windows by nn.Unfold, (2, 3)": nn.Unfold((2, 3), dilation=(1, 2)),
    "windows by x.unfold": lambda x: x.unfold(2, 2, 2).unfold(3, 3, 2).contiguous().flatten(1, 3).tanh(),
    "involution": involution,
    "channels picked by places": nn.Sequential(Call(lambda x: x[:, torch.tensor([0, 2, 1, 3, 3, 5])]),
                                               nn.Conv2d(6, 4, 3)),
    "index_select": lambda x: torch.index_select(x, 1, torch.tensor([5, 0, 1, 4])).tanh(),
    "roll of rows": lambda x: F.max_pool2d(torch.roll(x, 1, 2), 2),
    "roll of rows and columns": nn.Sequential(Call(lambda x: torch.roll(x, (1, -2), (2, 3))), nn.Conv2d(6, 4, 3)),
    "repeat": nn.Sequential(Call(lambda x: x.repeat(1, 2, 1, 1)), nn.Conv2d(12, 4, 3)),
    "repeat_interleave": nn.Sequential(Call(lambda x: x.repeat_interleave(2, 1)), nn.Conv2d(12, 4, 3)),
    "expand, convolved": nn.Sequential(Call(lambda x: x[:, :1].expand(-1, 4, -1, -1)), nn.Conv2d(4, 3, 3)),
    "squeeze_ and unsqueeze_": lambda x: (x.mean((2, 3), keepdim=True).squeeze_(3).squeeze_(2).unsqueeze_(1) * 2
                                          ).tanh(),
    "elements set to a number": lambda x: setting(x, (slice(None), slice(None), 0), 0.5),
    "channels set": lambda x: setting(x, (slice(None), slice(1, 3)), x[:, 4:].sigmoid()),
    "channels added to": adding_to_channels,
    "channels moved by one pixel": shifted_channels,
    "patches by views": nn.Sequential(
        Call(lambda x: x[:, :, :4, :6].reshape(x.shape[0], 6, 2, 2, 3, 2).permute(0, 2, 4, 3, 5, 1).reshape(
            x.shape[0], 6, 24)),
        nn.Linear(24, 5), nn.GELU()),
})
probe("order: space to depth", nn.Sequential(
    Call(lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)),
    nn.Conv2d(24, 4, 3, padding=1)), image=(4, 6, 3))
probes("pixel shuffle", {
    "2": nn.PixelShuffle(2),
    "2, convolved": nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(2, 3, 3)),
    "functional": lambda x: F.pixel_shuffle(x, 2),
}, channels=8)
probe("pixel unshuffle: 2", nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(20, 3, 2)), 5, (4, 6, 3))
probes("parts", {
    "chunk": lambda x: x[:, 1:].chunk(2, 1)[1] * x[:, 1:].chunk(2, 1)[0],
    "chunk, uneven": lambda x: torch.cat([part.tanh() for part in torch.chunk(x, 4, dim=1)][::-1], 1),
    "split": lambda x: torch.cat(torch.split(x, 2, dim=1)[::-1], 1),
    "split, uneven": lambda x: torch.cat([part.sigmoid() for part in torch.split(x, [1, 3, 3], dim=1)], 1),
    "unbind": lambda x: x.unbind(1)[0] * x.unbind(1)[3],
    "tensor_split": lambda x: torch.tensor_split(x, 3, dim=1)[2].tanh(),
    "chunk of columns": lambda x: x.chunk(2, 3)[1].tanh(),
    "added to a part": lambda x: torch.cat([x[:, :2] + x[:, 2:4], x[:, 4:]], 1),
}, channels=7)
probes("concatenation", {
    "of two": lambda x: torch.cat([x, x.tanh()], 1),
    "of three": lambda x: torch.cat((x.sigmoid(), x, x[:, :2].tanh()), dim=1),
    "of one and the same": lambda x: torch.cat([x, x], 1),
    "of one": lambda x: torch.cat([x.tanh()], 1),
    "of vectors": lambda x: torch.cat([x.mean((2, 3)), F.adaptive_max_pool2d(x, 1).flatten(1)], dim=1),
    "of vectors, convolved": nn.Sequential(
        Call(lambda x: torch.cat([F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)], 1)), nn.Conv2d(12, 4, 1)),
    "of tokens, along the channels": lambda x: torch.cat([tokens(x), tokens(x).tanh()], -1),
    "with coordinates": lambda x: torch.cat([x, torch.linspace(-1, 1, 7).expand(x.shape[0], 1, 5, 7)], 1),
    "with zeros": lambda x: torch.cat([x.tanh(), torch.zeros_like(x[:, :2])], 1),
    "with zeros before": lambda x: torch.cat([x.new_zeros(x.shape[0], 3, 5, 7), x], 1),
    "of rows": lambda x: torch.cat([x, x.tanh()], 2),
    "of columns": lambda x: torch.cat([x[..., 3:], x[..., :3].tanh()], 3),
    "stack": lambda x: torch.stack([x, x.tanh()], 1),
    "stack, shuffled": nn.Sequential(Call(lambda x: torch.stack([x, x.tanh()], 2).flatten(1, 2)), nn.Conv2d(12, 4, 3)),
})
probes("padding", {
    "of one pixel": nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(6, 4, 3)),
    "asymmetric": nn.ZeroPad2d((0, 1, 2, 0)),
    "negative": nn.ZeroPad2d((-1, -2, -1, 0)),
    "of both signs": lambda x: F.pad(x, (1, -1, -2, 3)),
    "of channels": lambda x: F.pad(x.tanh(), (0, 0, 0, 0, 1, 2)),
    "of channels behind": nn.Sequential(Call(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 3), "constant", 0)),
                                        nn.Conv2d(9, 4, 2)),
    "of channels, cut": lambda x: F.pad(x, (0, 0, 0, 0, -1, -2)),
    "of the batch by nothing": lambda x: F.pad(x, (1, 1)),
    "ConstantPad2d of zeros": nn.ConstantPad2d((1, 0, 0, 2), 0.),
    "of vectors": lambda x: F.pad(x.mean((2, 3)), (1, 2)),
    "of a number": nn.ConstantPad2d((1, 0, 2, 1), 0.7),
    "reflection": nn.Sequential(nn.ReflectionPad2d((1, 2, 3, 1)), nn.Conv2d(6, 4, 3)),
    "replication": nn.ReplicationPad2d(2),
    "circular": nn.Conv2d(6, 4, 3, padding=1, padding_mode="circular"),
    "reflection of a convolution": nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"),
})
probes("resize", {
    "nearest, by 2": nn.Upsample(scale_factor=2),
    "nearest, by (3, 2)": nn.Upsample(scale_factor=(3, 2), mode="nearest"),
    "nearest, to a size": lambda x: F.interpolate(x, size=(9, 8)),
    "nearest, smaller": lambda x: F.interpolate(x, size=(3, 4), mode="nearest"),
    "nearest, to one size": lambda x: F.interpolate(x, 6),
    "nearest, by 1.5": lambda x: F.interpolate(x, scale_factor=1.5),
    "nearest, by 0.5": lambda x: F.interpolate(x, scale_factor=0.5, recompute_scale_factor=True),
    "bilinear, by 2": nn.Upsample(scale_factor=2, mode="bilinear"),
    "bilinear, by 2, corners aligned": nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    "bilinear, to a size": lambda x: F.interpolate(x, size=(8, 11), mode="bilinear", align_corners=False),
    "bilinear, to a size, corners aligned": lambda x: F.interpolate(x, (4, 9), mode="bilinear", align_corners=True),
    "bilinear, smaller": lambda x: F.interpolate(x, size=(3, 4), mode="bilinear"),
    "bilinear, UpsamplingBilinear2d": nn.UpsamplingBilinear2d(scale_factor=2),
    "nearest, UpsamplingNearest2d": nn.UpsamplingNearest2d(size=(10, 14)),
    "nearest-exact, by 2": lambda x: F.interpolate(x, scale_factor=2, mode="nearest-exact"),
    "area": lambda x: F.interpolate(x, size=(3, 2), mode="area"),
})

# --- What is of training alone, or of nothing ------------------------------------------------

probes("dropout", {
    "of elements": nn.Dropout(0.3),
    "of channels": nn.Dropout2d(0.2),
    "of a vector": on_vectors(nn.Dropout(0.5, inplace=True)),
    "of tokens": on_tokens(nn.Dropout(0.1)),
    "functional, in training": lambda x: F.dropout(x, 0.5, training=False),
    "of rate 0": nn.Dropout(0.0),
    "alpha dropout, left out": nn.AlphaDropout(0.2),
})
probes("no operation", {
    "Identity": nn.Identity(),
    "an empty Sequential": nn.Sequential(),
    "clone": lambda x: x.clone().relu_() + x.tanh(),
    "a slice of everything": lambda x: x[:].tanh(),
    "an ellipsis": lambda x: x[...].tanh(),
    "contiguous": lambda x: x.contiguous(memory_format=torch.channels_last),
    "contiguous, changed in place": lambda x: F.relu(x.contiguous(), inplace=True) + x,
    "to": lambda x: x.to(x.dtype),
    "sizes of data": lambda x: x.view(x.data.size(0), -1, x.detach().shape[3]).tanh(),
    "a shape that is asserted": lambda x: x if x.shape[1:] == (6, 5, 7) and x.dim() == 4 and len(x) else None,
})
