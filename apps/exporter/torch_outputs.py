"""Which of the values that a module returns are its logits. Part of export_torch.py."""

import torch

from .torch_values import ExportFailure

LOGITS = ("logits", "logit", "out", "output", "outputs", "pred", "cls", "scores")


def logits_in(output):
    """The tensor of logits in what a module returns, and a note on which it is, where it returns more: the one of these
    names in a dictionary, the first in a tuple, as classifiers with auxiliary heads or with features have it."""
    if isinstance(output, torch.Tensor):
        return output, ""
    if isinstance(output, dict):
        tensors = {key: item for key, item in output.items() if isinstance(item, torch.Tensor)}
        named = [key for key in LOGITS if key in tensors] or (list(tensors) if len(tensors) == 1 else [])
        if named:
            return tensors[named[0]], f"of the dictionary that the module returns, '{named[0]}' is taken"
    elif isinstance(output, (tuple, list)) and output and isinstance(output[0], torch.Tensor):
        others = sum(isinstance(item, torch.Tensor) for item in output[1:])
        return output[0], f"of the {len(output)} values that the module returns, the first is taken" * bool(others)
    raise ExportFailure(f"the module returns {describe(output)}: a classifier returns a tensor of logits [N, classes]; "
                        "wrap it in a module that does")


def describe(output):
    if isinstance(output, (tuple, list)):
        return f"{len(output)} values"
    return f"a {type(output).__name__}"
