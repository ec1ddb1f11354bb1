"""Modules that no graph of operations on single images can hold: apps/export_torch.py has to refuse each, with its
reason.

REFUSED: names, and for each what makes the module, the image (height, width, channels) that it takes, and words that
the refusal has to have.
"""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

IMAGE = (6, 6, 3)
REFUSED = {}


class Refused(nn.Module):
    """A convolution, a function of what it makes, and a linear layer over the mean of what that makes."""

    def __init__(self, function, channels=4):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.function = function
        self.fc = nn.Linear(channels, 5)

    def forward(self, x):
        x = self.function(self.conv(x))
        return self.fc(x.mean((2, 3)))


def refused(words):
    """Enters a function of tensors [N, 4, 6, 6], or a module, under its name."""
    def enter(thing):
        name = thing.__name__.strip("_")
        REFUSED[name] = (thing if isinstance(thing, type) else partial(Refused, thing), IMAGE, words)
        return thing
    return enter


# --- Other computations for other images -----------------------------------------------------


@refused("calls gt")
def branches_on_any(x):
    return x if (x > 0).any() else -x


@refused("over the images of a batch")
def branches_on_a_sum(x):
    if x.sum() > 0:
        return x
    return F.relu(x)


@refused("mixes the images of a batch, or picks one")
def loops_over_the_images(x):
    return torch.stack([image / (1 + i) for i, image in enumerate(x)])


@refused("mixes the images of a batch, or picks one")
def loops_over_the_images_by_number(x):
    return torch.stack([x[i].tanh() for i in range(x.shape[0])])


@refused("picks one")
def calls_item(x):
    return x * x[0, 0, 0, 0].item()


@refused("picks one")
def calls_float(x):
    return x * float(x[:, :1, :1, :1].flatten()[0])


@refused("turns values of the images into numbers of Python")
def calls_tolist(x):
    return x * x.flatten(1).tolist()[0][0]


@refused("leaves PyTorch for numpy")
def goes_through_numpy(x):
    return torch.from_numpy(x.numpy() * 2)


@refused("calls gt")
def picks_by_a_condition(x):
    return x[x[:, 0, 0, 0] > 0]


@refused("picks elements by a tensor of the images or a parameter")
class PicksByAParameter(nn.Module):
    def __init__(self):
        super().__init__()
        self.places, self.fc = nn.Parameter(torch.tensor([0, 2]), requires_grad=False), nn.Linear(2, 5)

    def forward(self, x):
        return self.fc(x[:, self.places].mean((2, 3)))


@refused("uses the places that max finds")
def uses_places_of_maxima(x):
    return x + torch.max(x, dim=1, keepdim=True)[1]


@refused("where the largest elements are")
def sorts(x):
    return torch.sort(x, dim=1)[0]


@refused("where the largest elements are")
def picks_by_places_of_the_images(x):
    return torch.gather(x, 1, x.argsort(1))


@refused("sets elements to, or of, a tensor that is neither of the images nor one number")
def sets_elements_to_constants(x):
    y = x.tanh()
    y[:, 0] = torch.arange(6.)
    return y


@refused("calls gt")
def chooses_by_a_condition(x):
    return torch.where(x > 0, x, x.exp())


# --- Images that depend on one another -------------------------------------------------------


@refused("mean over the images of a batch")
def subtracts_the_mean_of_the_batch(x):
    return x - x.mean(0)


@refused("without running statistics")
class BatchNormWithoutStatistics(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))


@refused("mixes the images of a batch")
def rolls_the_batch(x):
    return x + torch.roll(x, 1, 0)


@refused("mixes the images of a batch")
def flips_the_batch(x):
    return x - x.flip(0)


@refused("along axis 0")
def concatenates_along_the_batch(x):
    return torch.cat([x, -x], 0)[:x.shape[0]]


@refused("mixes the images of a batch")
class FlattensTheBatch(nn.Module):
    """The mistake of view(-1, ...): images become channels."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2 * 3 * 36, 5)

    def forward(self, x):
        return self.fc(x.reshape(1, -1)).expand(x.size(0), 5)


# --- Changes in place under another name -----------------------------------------------------


@refused("changed in place under another name")
def changes_under_a_view(x):
    y = x.view(x.size(0), -1)
    x.add_(1)
    return y.view(x.shape)


@refused("changed in place under another name")
def changes_a_view(x):
    x[:, 0].mul_(2)
    return x


@refused("changed in place under another name")
def changes_a_chunk(x):
    a, b = x.chunk(2, 1)
    F.relu_(a)
    return torch.cat([x, b], 1)[:, :4]


# --- Weights that are computed ---------------------------------------------------------------


@refused("a weight computed from")
class StandardisesWeights(nn.Module):
    """Qiao et al., 2019, Micro-Batch Training with Batch-Channel Normalization and Weight Standardization."""

    class Conv2d(nn.Conv2d):
        def forward(self, x):
            weight = self.weight
            weight = weight - weight.mean(dim=(1, 2, 3), keepdim=True)
            weight = weight / (weight.std(dim=(1, 2, 3), keepdim=True) + 1e-5)
            return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def __init__(self):
        super().__init__()
        self.conv, self.fc = self.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


@refused("computed from")
class NormalisesWeights(nn.Module):
    """Salimans and Kingma, 2016, Weight Normalization, as PyTorch has it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


@refused("computed from scale by outer")
class MultipliesByAnOuterProduct(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.fc = nn.Parameter(torch.ones(6)), nn.Linear(3, 5)

    def forward(self, x):
        return self.fc((x * torch.outer(self.scale, self.scale)).mean((2, 3)))


# --- Operations that a graph has not ---------------------------------------------------------


@refused("(attention)")
def attends_over_too_much(x):
    """Wang et al., 2018, Non-local Neural Networks, of 2,304 pixels."""
    x = F.interpolate(x, 48).flatten(2)
    return (torch.bmm(x.transpose(1, 2), x).softmax(-1) @ x.transpose(1, 2)).transpose(1, 2)[..., None]


@refused("attention of one tensor to another")
class AttendsToOthers(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = F.pad(x, (0, 0, 0, 0, 0, 1)).flatten(2).transpose(1, 2)
        return self.fc(self.attention(x[:, :3], x, x)[0].mean(1))


@refused("a power whose exponent depends on the images")
def takes_powers_of_itself(x):
    return (1 + x * x) ** x


@refused("order 3")
def takes_a_norm_of_order_3(x):
    return x / x.norm(3, dim=1, keepdim=True)


@refused("divides with rounding")
def divides_with_rounding(x):
    return torch.div(x, 0.5, rounding_mode="floor")


@refused("sets what is below 0.1 to 20")
def sets_what_is_below(x):
    return F.threshold(x, 0.1, 20)


@refused("erf is an operation of a graph in a GELU")
def takes_erf(x):
    return torch.erf(x) * x


@refused("shrink")
def shrinks(x):
    return F.softshrink(x)


@refused("log_softmax")
def log_softmax_in_the_middle(x):
    return F.log_softmax(x, dim=1).relu()


@refused("log_softmax")
class LogSoftmaxBetweenLayers(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(108, 6), nn.LogSoftmax(dim=1), nn.Linear(6, 5))


@refused("lstm")
class ReadsByLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(18, 6, batch_first=True), nn.Linear(6, 5)

    def forward(self, x):
        outputs, _ = self.lstm(x.permute(0, 2, 3, 1).flatten(2))
        return self.fc(outputs[:, -1])


@refused("calls cumsum")
def sums_cumulatively(x):
    return torch.cumsum(x, 2)


@refused("fft")
def transforms_by_fourier(x):
    return torch.fft.fft2(x).real


@refused("mixes the images of a batch")
def einstein(x):
    return torch.einsum("nchw,mchw->nchw", x, x)


@refused("affine_grid")
class SpatialTransformer(nn.Module):
    """Jaderberg et al., 2015, Spatial Transformer Networks."""

    def __init__(self):
        super().__init__()
        self.place, self.fc = nn.Linear(108, 6), nn.Linear(3, 5)

    def forward(self, x):
        grid = F.affine_grid(self.place(x.flatten(1)).view(-1, 2, 3), x.size(), align_corners=False)
        return self.fc(F.grid_sample(x, grid, align_corners=False).mean((2, 3)))


@refused("detach() stops gradients")
def stops_gradients(x):
    return x + x.tanh().detach()


@refused("stops gradients")
def makes_a_variable(x):
    return torch.autograd.Variable(x).tanh()


@refused("a tensor of constants")
def drops_by_hand(x):
    return x * torch.bernoulli(torch.full_like(x, 0.5))


@refused("active in evaluation, too")
def drops_always(x):
    return F.dropout(x, 0.5)


@refused("calls half")
def changes_the_kind_of_numbers(x):
    return x.half().float()


@refused("a tensor of constants")
class HasABufferOfConstants(nn.Module):
    """A window over images."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(6)[:, None] * torch.hann_window(6))
        self.fc = nn.Linear(3, 5)

    def forward(self, x):
        return self.fc((x * self.window).mean((2, 3)))


@refused("a convolution with constants")
class ConvolvesWithABuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", torch.randn(5, 3, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.kernel).mean((2, 3))


# --- What is no classifier -------------------------------------------------------------------


@refused("the module returns 0 values")
class ReturnsNothing(nn.Module):
    def forward(self, x):
        return ()


@refused("a dict")
class ReturnsADictionary(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.aux = nn.Linear(108, 5), nn.Linear(108, 5)

    def forward(self, x):
        return {"coarse": self.fc(x.flatten(1)), "fine": self.aux(x.flatten(1))}


@refused("a classifier returns logits [N, classes]")
class ReturnsAMap(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)

    def forward(self, x):
        return self.conv(x)


@refused("a classifier returns logits")
class ReturnsConstants(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(5))

    def forward(self, x):
        return self.logits.expand(x.size(0), 5)
