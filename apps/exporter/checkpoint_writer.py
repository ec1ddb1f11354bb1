"""Checkpoints of Topograd as programs of Python write them. Part of import_torch.py and export_torch.py."""

import fcntl
import json
import os
import secrets
import struct
import sys

from .torch_checkpoint import ImportFailure

NORMALISATIONS = {
    "cifar10": {"mean": [125.3 / 255, 123.0 / 255, 113.9 / 255],
                "std": [63.0 / 255, 62.1 / 255, 66.7 / 255]},
    "cifar100": {"mean": [129.3 / 255, 124.1 / 255, 112.4 / 255],
                 "std": [68.2 / 255, 65.4 / 255, 70.4 / 255]},
    "mnist": {"mean": [0.1307], "std": [0.3081]},
    "fashion_mnist": {"mean": [0.2860], "std": [0.3530]},
    "imagenet": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "kuangliu": {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.2010]},
    "none": {"mean": [0.0], "std": [1.0]},
}
DTYPES = {"<f4": "F32", "<f8": "F64", "<i4": "I32", "|u1": "U8"}
F_OFD_SETLK = 37  # Linux's locks of an open file; Python names them since 3.9 only


def add_normalisation_options(parser):
    parser.add_argument("--normalisation", choices=sorted(NORMALISATIONS),
                        help="the constants its training images were normalised with; the file "
                        "does not say, and the wrong ones cost accuracy")
    parser.add_argument("--mean", metavar="R,G,B", help="these instead, of pixels from 0 to 1; one number "
                        "counts for all channels")
    parser.add_argument("--std", metavar="R,G,B", help="with --mean, the deviations")


def numbers(option, text, smallest_excluded):
    """Returns the numbers of --mean or --std: of pixels from 0 to 1."""
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = [float("nan")]
    for value in values:
        if not (0 <= value <= 1) or (smallest_excluded and value == 0):
            raise ImportFailure(f"{option} {text}: write numbers with commas between, of pixels from 0 to 1 "
                                "(125.3 of 255 is 0.4914)")
    return values


def normalisation(args, channels):
    """Returns the constants that were chosen, one of each for every channel."""
    if args.normalisation and (args.mean or args.std):
        raise ImportFailure("--normalisation and --mean contradict each other: leave out one of them")
    if not args.normalisation and not (args.mean and args.std):
        raise ImportFailure("which normalisation were its training images given? The file does not say, and "
                            "wrong constants cost accuracy: add --normalisation "
                            f"{', '.join(sorted(NORMALISATIONS))}, or --mean R,G,B --std R,G,B")
    constants = NORMALISATIONS[args.normalisation] if args.normalisation else {
        "mean": numbers("--mean", args.mean, False), "std": numbers("--std", args.std, True)}
    for key, values in constants.items():
        if len(values) not in (1, channels):
            raise ImportFailure(f"{len(values)} values of normalisation ({key}), but the network takes images of "
                                f"{channels} channel{'s' * (channels > 1)}: give one for each")
    return {key: values * channels if len(values) == 1 else values for key, values in constants.items()}


def write_checkpoint(path, arrays, model, constants, source):
    """Writes a network: its tensors, little-endian float32 by name; its description; the mean and deviation that
    images are normalised by; where it is from."""
    write_safetensors(path, arrays, {"format": "topograd-checkpoint-1", "model": json.dumps(model),
                                     "normalisation": json.dumps(constants), "source": source})


def write_safetensors(path, arrays, metadata):
    """Header length (u64), JSON header, bytes: https://github.com/huggingface/safetensors."""
    header, offset = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": DTYPES[array.dtype.str], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_whole(path, [struct.pack("<Q", len(text)) + text, *(array.tobytes() for array in arrays.values())])


def write_whole(path, parts):
    """Replaces a file, or leaves it as it is; links are followed, its mode is kept. As
    kernels/core/atomic_file.h, and with its lock: one process at a time."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:
            device.writelines(parts)
        return
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    lock_name = os.path.join(folder, f".{name}.lock")
    lock = os.open(lock_name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except BlockingIOError as error:
            holder = os.pread(lock, 200, 0).decode(errors="replace").split("\n")[0]
            raise ImportFailure(f"{path} is being written by {holder or 'another process'}; wait for it, or choose "
                                "another --output") from error
        except OSError:
            pass  # a file system that knows no locks
        os.truncate(lock, 0)
        program = os.path.basename(sys.argv[0])
        os.pwrite(lock, f"process {os.getpid()} on {os.uname().nodename}: {program}\n".encode(), 0)
        temporary = f"{path}.tmp.{secrets.token_hex(8)}"
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as file:
                file.writelines(parts)
                if os.path.exists(path):
                    os.fchmod(file.fileno(), os.stat(path).st_mode & 0o7777)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)
        os.unlink(lock_name)
    finally:
        os.close(lock)
