#!/usr/bin/python3
"""Turn a PyTorch checkpoint into one of Topograd's: a safetensors file.

    apps/import_torch.py resnet56.pth --normalisation cifar10 --output resnet56.safetensors

Reads a state_dict, or a dictionary that holds one under 'state_dict', 'model', 'net' or
'model_state_dict', or what --key names; likewise the safetensors files of others. Strips what
wrappers put before names ('module.', '_orig_mod.', 'model.', ...), takes tensors off the GPU, keeps
PyTorch's names and shapes (convolutions in OIHW), stores float32, drops num_batches_tracked. Names
and shapes have to be those of the network, which models/torch_zoo.py knows, before anything is
written.

Needs python3-torch. Needs neither the safetensors package nor the code that made the checkpoint.
"""

import argparse
import hashlib
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
# torch_zoo.py lies beside this file where it is installed.
for folder in (os.path.join(HERE, "..", "models"), HERE):
    sys.path.insert(0, folder)
from exporter.checkpoint_writer import add_normalisation_options, normalisation, write_checkpoint  # noqa: E402
from exporter.torch_checkpoint import NESTED_KEYS, ImportFailure, clean, find_state_dict, is_counter, load  # noqa: E402



def blocks_per_stage(arrays, pattern=r"layer(\d+)\.(\d+)\."):
    """Returns the number of blocks of each stage, from names like layer2.0.conv1.weight."""
    stages = {}
    for name in arrays:
        match = re.match(pattern, name)
        if match:
            stage, block = int(match[1]), int(match[2])
            stages[stage] = max(stages.get(stage, 0), block + 1)
    return tuple(stages[stage] for stage in sorted(stages))


def guess_resnet(arrays, blocks):
    """The name without '_noshort', or None."""
    if arrays["conv1.weight"].shape[2:] != (3, 3):
        raise ImportFailure("the first convolution is not 3x3: this is a network for ImageNet, and "
                            "Topograd has the CIFAR ones")
    bottlenecks = "layer1.0.conv3.weight" in arrays
    if len(blocks) == 4:
        from torch_zoo import FOUR_STAGES, Bottleneck
        return next((f"resnet{depth}" for depth, (block, count) in FOUR_STAGES.items()
                     if count == blocks and (block is Bottleneck) == bottlenecks), None)
    if len(blocks) != 3 or len(set(blocks)) != 1:
        return None
    if bottlenecks:
        raise ImportFailure("a ResNet of three stages of bottlenecks (layer1.0.conv3.weight) is no network that "
                            "Topograd knows: its ResNets of three stages have blocks of two convolutions")
    depth = 6 * blocks[0] + 2
    widening, rest = divmod(arrays["conv1.weight"].shape[0], 16)
    if rest or widening < 1:
        return f"resnet{depth}"  # of another width, which the metadata say
    return f"resnet{depth}" if widening == 1 else f"wrn{depth}_{widening}"


def guess_name(arrays):
    """The network that the names and shapes show, or None."""
    blocks = blocks_per_stage(arrays)
    if "conv1.weight" in arrays and blocks:
        name = guess_resnet(arrays, blocks)
        if name and not has_projections(arrays):
            raise ImportFailure(
                f"the names fit {name} with shortcut A as well as {name}_noshort, which differ in "
                f"no parameter: say which with --model {name} or --model {name}_noshort")
        return name
    return guess_wide_resnet(arrays) or guess_densenet(arrays) or guess_vgg(arrays)


WIDE_BLOCKS = r"block(\d+)\.layer\.(\d+)\."  # of the original WideResNet


def guess_wide_resnet(arrays):
    blocks = blocks_per_stage(arrays, WIDE_BLOCKS)
    if len(blocks) != 3 or len(set(blocks)) != 1:
        return None
    stem, first = arrays["conv1.weight"], arrays["block1.layer.0.conv1.weight"]
    return f"wrn{6 * blocks[0] + 4}_{first.shape[0] // stem.shape[0]}"


def guess_densenet(arrays):
    blocks = blocks_per_stage(arrays, r"dense(\d+)\.(\d+)\.")
    if len(blocks) == 3 and len(set(blocks)) == 1:
        return f"densenetbc{6 * blocks[0] + 4}_{growth(arrays)}"
    from torch_zoo import DENSENETS
    return next((f"densenet{depth}" for depth, (layers, _) in DENSENETS.items() if layers == blocks), None)


def growth(arrays):
    return arrays["dense1.0.conv2.weight"].shape[0]


def guess_vgg(arrays):
    channels = [array.shape[0] for name, array in arrays.items()
                if name.startswith("features.") and array.ndim == 4]
    if not channels:
        return None
    from torch_zoo import VGG
    plan = [str(count // channels[0]) for count in channels]
    return next((f"vgg{depth}" for depth, layers in VGG.items()
                 if [word for word in layers.split() if word != "M"] == plan), None)


def has_projections(arrays):
    return any(".shortcut." in name or ".convShortcut." in name for name in arrays)


def choose_shortcut(arrays, model, asked):
    """A (subsample and pad, no parameters) or B (1x1 convolution), as the names show."""
    projections = has_projections(arrays)
    if projections and asked == "A":
        raise ImportFailure("--shortcut A, but the checkpoint has projection weights "
                            "(layer2.0.shortcut.0.weight): that is option B")
    if projections and model.endswith("_noshort"):
        raise ImportFailure(f"--model {model}, but the checkpoint has projection weights "
                            "(layer2.0.shortcut.0.weight): it has skip connections")
    if model.endswith("_noshort") or not (blocks_per_stage(arrays) or blocks_per_stage(arrays, WIDE_BLOCKS)):
        return asked or "B"  # no shortcut at all: the letter says nothing
    if not projections and asked == "B":
        raise ImportFailure("--shortcut B, but the checkpoint has no projection weights "
                            "(layer2.0.shortcut.0.weight): that is option A, or a _noshort network")
    return "B" if projections else "A"


def base_width(arrays, model):
    """What the metadata call width: growth of a DenseNet, units of an MLP, channels of the first
    stage of others, before a wrn's widening; 0 where the name says everything."""
    if model.startswith("densenet"):
        return 0 if model.startswith("densenetbc") else growth(arrays)
    if model.startswith("lenet"):
        return 0
    weights = 2 if model.startswith("mlp") else 4
    first = next((array for array in arrays.values() if array.ndim == weights), None)
    if first is None:
        raise ImportFailure(f"the checkpoint has no convolution, so it is no {model}")
    widening = re.match(r"wrn(\d+)_(\d+)", model)
    original = widening and int(widening[1]) % 6 == 4  # whose stem is not widened
    return first.shape[0] // int(widening[2]) if widening and not original else first.shape[0]


def image_channels(arrays, args):
    """Channels of the images: what the first layer takes."""
    first = next(array for array in arrays.values() if array.ndim in (2, 4))
    if first.ndim == 4:
        return first.shape[1]
    channels, rest = divmod(first.shape[1], args.image_size**2)
    return channels if channels and not rest else 3


def describe_model(arrays, args):
    guess = args.model or guess_name(arrays)
    if not guess:
        names = ", ".join(list(arrays)[:4])
        raise ImportFailure(f"the names ({names}, ...) are no network that Topograd knows: name it "
                            "with --model, for example --model resnet56")
    classifier = [array for array in arrays.values() if array.ndim == 2]
    if not classifier:
        raise ImportFailure("the checkpoint has no linear layer, so it is no classifier")
    model = {"name": guess, "shortcut": choose_shortcut(arrays, guess, args.shortcut),
             "classes": classifier[-1].shape[0], "width": base_width(arrays, guess),
             "image_size": args.image_size, "activation": "relu"}
    channels = image_channels(arrays, args)
    if channels != 3:
        model["channels"] = channels
    return model


def expected_shapes(model):
    """Returns the names and shapes of a network's tensors, as models/torch_zoo.py builds it."""
    import torch_zoo
    try:
        network = torch_zoo.network(model["name"], model["image_size"], model["shortcut"], model["width"],
                                    model["classes"], model.get("channels", 3))
    except (KeyError, ValueError, RuntimeError) as error:
        raise ImportFailure(f"no network of Topograd's is called {model['name']}: train --list-models shows "
                            "them") from error
    return {name: tuple(value.shape) for name, value in network.state_dict().items() if not is_counter(name)}


def listed(names):
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def require_network(arrays, model):
    """Raises ImportFailure, which says what differs, unless the tensors are those of the network."""
    expected = expected_shapes(model)
    what = model["name"] + (f" of width {model['width']}" if model["width"] else "")
    missing = [name for name in expected if name not in arrays]
    unknown = [name for name in arrays if name not in expected]
    if missing and all(".running_" in name for name in missing):
        raise ImportFailure(f"the BatchNorm statistics are missing ({listed(missing)}): what was saved holds "
                            "parameters alone, or BatchNorm kept none (track_running_stats=False); save state_dict()")
    if missing or unknown:
        parts = [f"lacks {listed(missing)} of {what}"] * bool(missing)
        parts += [f"has {listed(unknown)}, which {'is' if len(unknown) == 1 else 'are'} none of its"] * bool(unknown)
        raise ImportFailure(f"the checkpoint {', and '.join(parts)}: it is another network")
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            size = ("; --image-size says how large its images are"
                    if arrays[name].ndim == 2 and arrays[name].shape[0] == shape[0] else "")
            raise ImportFailure(f"{name} is of shape {list(arrays[name].shape)}, that of {what} for images of "
                                f"{model['image_size']} pixels {list(shape)}{size}")
        if name.endswith(".running_var") and (arrays[name] < 0).any():
            raise ImportFailure(f"{name} has negative variances: the file is damaged")


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def convert(args):
    if os.path.exists(args.output) and os.path.samefile(args.output, args.checkpoint):
        raise ImportFailure(f"{args.output} is the checkpoint itself: choose another --output")
    source = f"{os.path.basename(args.checkpoint)} sha256:{sha256_of(args.checkpoint)}"
    arrays = clean(find_state_dict(load(args.checkpoint), args.checkpoint, args.key))
    model = describe_model(arrays, args)
    require_network(arrays, model)
    constants = normalisation(args, model.get("channels", 3))
    write_checkpoint(args.output, arrays, model, constants, source)
    parameters = sum(array.size for name, array in arrays.items() if ".running_" not in name)
    print(f"{args.output}: {model['name']}, shortcut {model['shortcut']}, {model['classes']} "
          f"classes, {len(arrays)} tensors, {parameters:,} parameters, "
          f"normalisation {args.normalisation or constants}")


def main():
    parser = argparse.ArgumentParser(
        description="Turn a PyTorch checkpoint (.pt, .pth, .th, .t7, .safetensors) into a Topograd checkpoint.")
    parser.add_argument("checkpoint")
    parser.add_argument("-o", "--output", help="default: the checkpoint's name with .safetensors")
    parser.add_argument("--model", help="resnet56, resnet56_noshort, wrn56_2, vgg9, ...; guessed "
                        "from the names of the parameters where they leave no doubt")
    parser.add_argument("--shortcut", choices=["A", "B"], help="where the shape changes: A "
                        "subsamples and pads, B is a 1x1 convolution; default: what the names show")
    add_normalisation_options(parser)
    parser.add_argument("--key", help="the entry that holds the weights, as state_dict_ema, or what its names begin "
                        "with; default: " + ", ".join(NESTED_KEYS) + ", or the whole file")
    parser.add_argument("--image-size", type=int, default=32, help="default: 32")
    args = parser.parse_args()
    args.output = args.output or os.path.splitext(args.checkpoint)[0] + ".safetensors"
    try:
        convert(args)
    except ImportFailure as error:
        sys.exit(f"import_torch.py: {error}")
    except OSError as error:
        sys.exit(f"import_torch.py: {error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
