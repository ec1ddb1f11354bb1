"""What a tensor is while a module runs: of parameters, or of the images, and then where its elements lie in the
memory of a node's output. Part of export_torch.py."""

import torch


class ExportFailure(Exception):
    """Error in the module: what it does that a graph cannot say; one line."""


class Computed:
    """A tensor computed from parameters alone, and the call that computed it."""

    def __init__(self, names, call):
        self.names, self.call = names, call


class Parameter:
    """A parameter, or a view of one: the places of its elements in the parameter."""

    def __init__(self, name, tensor, index):
        self.name, self.tensor, self.index = name, tensor, index


class Opaque:
    """A tensor that depends on the images and may be asked for its sizes alone: anything else is refused with these
    words."""

    def __init__(self, reason):
        self.reason = reason


class Value:
    """A tensor that depends on the images: a node's output, and where each of the tensor's elements lies in
    it, one image of the batch at a time. `batch` is the tensor's axis along which the images lie, which the index has
    not."""

    def __init__(self, node, shape, index, batch=0):
        self.node, self.shape, self.index, self.batch = node, tuple(shape), index, batch

    @property
    def size(self):
        return numel(self.shape)


def numel(shape):
    count = 1
    for extent in shape:
        count *= extent
    return count


def image_index(shape):
    """Places of the elements of a tensor [C, H, W] in memory [H, W, C]."""
    height, width, channels = shape
    return torch.arange(height * width * channels).view(height, width, channels).permute(2, 0, 1)


def compressed(index):
    """Returns an index with one element along the axes along which all are the same, which is what expand() makes."""
    for axis in range(index.dim()):
        if index.shape[axis] > 1 and bool((index == index.narrow(axis, 0, 1)).all()):
            index = index.narrow(axis, 0, 1)
    return index


def regular_runs(index):
    """The slices of an index along its first axis as runs [begin, end) in which each lies one step behind the one
    before it."""
    steps = (index[1:] - index[:-1]).reshape(len(index) - 1, -1)
    uniform = (steps == steps[:, :1]).all(1) & (steps[:, 0] != 0)
    begins = [0]
    for i in range(1, len(index)):
        first = i == begins[-1] + 1
        if not bool(uniform[i - 1]) or not first and int(steps[i - 1, 0]) != int(steps[i - 2, 0]):
            begins.append(i)
    return list(zip(begins, begins[1:] + [len(index)]))


def same(a, b):
    return a.shape == b.shape and bool((a == b).all())


def pair(value):
    """(height, width) of a number or a pair."""
    if isinstance(value, (tuple, list, torch.Size)):
        return tuple(int(v) for v in value) if len(value) == 2 else (int(value[0]),) * 2
    return (int(value),) * 2


def brief(values):
    """One number for two that are equal."""
    return values[0] if values[0] == values[1] else list(values)


def strides_of(index):
    """Extents and strides of a sequence of places, outermost first: place i is offset + sum of i_k stride_k, i
    in row-major order. None where it has no such form of at most six axes."""
    flat = index.flatten().tolist()
    extents, strides = [], []
    heads = flat
    while len(heads) > 1:
        step = heads[1] - heads[0]
        run = 1
        while run < len(heads) and heads[run] == heads[0] + run * step:
            run += 1
        while len(heads) % run or any(heads[i + k] != heads[i] + k * step for i in range(0, len(heads), run)
                                      for k in range(run)):
            run -= 1
        if run == 1:
            return None
        extents.insert(0, run)
        strides.insert(0, step)
        heads = heads[::run]
        if len(extents) > 6:
            return None
    return extents or [1], strides or [1], flat[0]


def place_in_memory(tensor):
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype
