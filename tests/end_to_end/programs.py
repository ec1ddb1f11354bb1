"""What the end-to-end tests share: running the programs, reading their files, making odd input.

Python's standard library only. A test file is run as: test_x.py <train> <landscape>.
"""

import ctypes
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

TIMEOUT = 120  # seconds; a busy machine is slow, but no command here takes more than a few
train = landscape = None  # the programs' paths, from the command line
images = None  # a folder of 400 + 100 small images in 4 classes: no other data load as quickly

# A network and data as small as they come: a tenth of a second for an epoch.
TINY_NET = ["--model", "resnet8", "--width", "4"]
TINY_DATA = ["--data", "synthetic", "--image-size", "12", "--train-images", "400",
             "--test-images", "100"]


def main():
    """Takes the programs' paths off the command line and leaves the rest to unittest."""
    global train, landscape, images
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} <train> <landscape> [unittest's arguments]")
    train, landscape = (os.path.abspath(path) for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="topograd_images_") as images:
        write_images(images, {"train": 100, "test": 25})
        unittest.main(argv=[sys.argv[0]] + sys.argv[3:])


def write_images(folder, counts):
    """A data set: counts[split] images of 12x12 pixels in each of four classes."""
    for split, count in counts.items():
        for label, colour in enumerate([(0, 0, 90), (40, 0, 0), (0, 90, 0), (40, 40, 40)]):
            os.makedirs(os.path.join(folder, split, f"class {label}"))
            for i in range(count):
                name = os.path.join(folder, split, f"class {label}", f"{i:03}.png")
                with open(name, "wb") as file:
                    file.write(png(12, 12, colour, f"{split} {label} {i}"))


def write_idx(folder, counts):
    """A data set as MNIST's four files: counts[split] grey images of 28x28 pixels, a bright bar
    whose place is the label, under noise."""
    os.makedirs(folder, exist_ok=True)
    for split, count in counts.items():
        noise = random.Random(split)
        labels = bytes(noise.randrange(10) for _ in range(count))
        pixels = b"".join(bytes(noise.randrange(60) + 190 * (row // 3 == label)
                                for row in range(28) for _ in range(28)) for label in labels)
        for name, dims, data in (("images", (count, 28, 28), pixels), ("labels", (count,), labels)):
            path = os.path.join(folder, f"{split}-{name}-idx{len(dims)}-ubyte")
            with open(path, "wb") as file:
                file.write(struct.pack(f">{1 + len(dims)}I", 0x800 + len(dims), *dims) + data)


def run(command, cwd, **more):
    """Runs a command to its end; stdout and stderr are text."""
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True,
                          errors="replace", timeout=TIMEOUT, stdin=subprocess.DEVNULL, **more)


def files_below(folder):
    """Every file and folder below `folder`, as relative paths."""
    found = set()
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            found.add(os.path.relpath(os.path.join(parent, name), folder))
    return found


def limit_file_size(size):
    """Returns a preexec_fn that makes writing beyond `size` bytes fail, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class EndToEndTest(unittest.TestCase):
    """A test in a folder of its own, which is the programs' working directory."""

    longMessage = True

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="topograd_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, contents):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(contents)
        return self.path(name)

    def read(self, name, mode="r"):
        with open(self.path(name), mode) as file:
            return file.read()

    def mount_small(self, size):
        """A file system of this size at small/, to be filled; skips the test if that is refused."""
        mounted = self.path("small")
        os.mkdir(mounted)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", mounted],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("SKIPPED: this account may not mount a file system to fill")
        self.addCleanup(subprocess.run, ["umount", mounted], check=True)

    def run_ok(self, command, stderr="", **more):
        """Runs a command that must succeed, saying exactly `stderr` there; returns its stdout."""
        done = run(command, self.folder, **more)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        if stderr is not None:
            self.assertEqual(done.stderr, stderr, command)
        return done.stdout

    def assert_refused(self, command, *words, status=(1, 2), stdout="", **more):
        """The command fails with one line on stderr that has all of `words` (the culprit, and what
        to do), prints nothing else, and neither leaves nor changes a file."""
        before = {name: os.lstat(self.path(name)).st_mtime_ns for name in files_below(self.folder)
                  if not os.path.isdir(self.path(name))}
        done = run(command, self.folder, **more)
        shown = f"{command}\nstatus {done.returncode}, stderr: {done.stderr}"
        self.assertIn(done.returncode, status, shown)
        self.assertEqual(len(done.stderr.splitlines()), 1, shown)
        self.assertTrue(done.stderr.endswith("\n"), shown)
        self.assertEqual(done.stderr.split(":")[0], os.path.basename(command[0]), shown)
        for word in words:
            self.assertIn(word, done.stderr, shown)
        if stdout is not None:
            self.assertEqual(done.stdout, stdout, shown)
        after = {name: os.lstat(self.path(name)).st_mtime_ns for name in files_below(self.folder)
                 if not os.path.isdir(self.path(name))}
        self.assertEqual(after, before, shown)
        return done.stderr


def start(command, cwd, ready):
    """Starts a command and waits until a line of its stdout or stderr begins with `ready` (one text
    or several; None: not at all), or it ends. Both streams come as one."""
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = []
    for line in process.stdout if ready else ():
        seen.append(line)
        if line.startswith(ready):
            break
    return process, seen


def stop(process, how):
    """Sends a signal and returns what the process still said. Its returncode is set."""
    process.send_signal(how)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait(TIMEOUT)
    return rest


def pause(process, seconds):
    """Waits, but no longer than the process lives."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def wait_for_saves(path, process, count):
    """Waits until the file was renewed `count` times or the process ended: however busy the machine
    is, the process got that far."""
    def version():
        try:
            status = os.stat(path)
            return status.st_ino, status.st_mtime_ns
        except FileNotFoundError:
            return None

    last = version()
    while count > 0 and process.poll() is None:
        time.sleep(0.0005)
        if version() != last:
            last = version()
            count -= 1


def mentioned_flags(help_text):
    return set(re.findall(r"--([a-z0-9][a-z0-9-]*)", help_text))


def safetensors(path):
    """Returns (metadata, {name: (shape, bytes)}) of a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = (entry["shape"], data[begin:end])
    return metadata, tensors


def with_metadata(data, **changes):
    """A safetensors file's bytes with other metadata; None removes an entry."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    for key, value in changes.items():
        header["__metadata__"].pop(key)
        if value is not None:
            header["__metadata__"][key] = value
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


class ModelTest(EndToEndTest):
    """A test with trained networks, <name>.safetensors for every name of MODELS."""

    MODELS = {"a": []}  # further flags of each one's training
    TRAINING = TINY_NET + ["--epochs", "2", "--batch-size", "50"]

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="topograd_models_")
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        for name, flags in cls.MODELS.items():
            done = run([train, *cls.TRAINING, "--data", images, "--output", name, *flags],
                       cls.shared)
            assert done.returncode == 0, done.stderr

    def setUp(self):
        super().setUp()
        for name in self.MODELS:
            shutil.copyfile(os.path.join(self.shared, name, "model.safetensors"),
                            self.path(f"{name}.safetensors"))


class Hdf5:
    """The data sets of an HDF5 file as lists of double, read (and, where it is opened for that,
    written) through the library that the program itself uses: what any other tool would see."""

    _library = None

    @classmethod
    def library(cls):
        if cls._library is None:
            linked = subprocess.run(["ldd", landscape], capture_output=True, text=True).stdout
            found = re.search(r"(\S*libhdf5[^/\s]*\.so\S*) => (\S+)", linked)
            if not found:
                raise unittest.SkipTest("SKIPPED: landscape links no shared HDF5 to read with")
            library = ctypes.CDLL(found.group(2))
            for name in ("H5Fopen", "H5Dopen2", "H5Dget_space"):
                getattr(library, name).restype = ctypes.c_int64
            library.H5open()
            cls._library = library
        return cls._library

    def __init__(self, path, writable=False):
        self.path = path
        self._file = self.library().H5Fopen(path.encode(), ctypes.c_uint(writable),
                                            ctypes.c_int64(0))
        if self._file < 0:
            raise OSError(f"{path} is no HDF5 file")
        if writable:  # what alters a file on purpose says so
            if self._library.H5Aexists(ctypes.c_int64(self._file), b"checksum") > 0:
                self._library.H5Adelete(ctypes.c_int64(self._file), b"checksum")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._library.H5Fclose(ctypes.c_int64(self._file))

    def names(self):
        """Returns the names of all data sets, with the groups they lie in: "largest/values"."""
        found = []
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_char_p, ctypes.c_void_p,
                                    ctypes.c_void_p)
        add = callback(lambda group, name, info, data: found.append(name.decode()) or 0)
        visit = getattr(self._library, "H5Lvisit", None) or self._library.H5Lvisit1
        visit(ctypes.c_int64(self._file), 0, 0, add, None)
        groups = {name[:i] for name in found for i in range(len(name)) if name[i] == "/"}
        return [name for name in found if name not in groups]

    def read(self, name):
        """Returns (shape, bytes of its doubles) of a data set: bytes, so that NaN equals NaN."""
        library, zero = self._library, ctypes.c_int64(0)
        dataset = library.H5Dopen2(ctypes.c_int64(self._file), name.encode(), zero)
        if dataset < 0:
            raise KeyError(f"{self.path} has no {name}")
        space = library.H5Dget_space(ctypes.c_int64(dataset))
        shape = (ctypes.c_uint64 * 8)()
        rank = library.H5Sget_simple_extent_dims(ctypes.c_int64(space), shape, None)
        count = 1
        for extent in shape[:rank]:
            count *= extent
        values = (ctypes.c_double * count)()
        double = ctypes.c_int64.in_dll(library, "H5T_NATIVE_DOUBLE_g")
        status = library.H5Dread(ctypes.c_int64(dataset), double, zero, zero, zero, values)
        library.H5Sclose(ctypes.c_int64(space))
        library.H5Dclose(ctypes.c_int64(dataset))
        if status < 0:
            raise OSError(f"{self.path}: {name} cannot be read")
        return tuple(shape[:rank]), bytes(values)

    def write(self, name, numbers):
        """Puts numbers in the place of all of a data set's."""
        zero = ctypes.c_int64(0)
        dataset = self.library().H5Dopen2(ctypes.c_int64(self._file), name.encode(), zero)
        values = (ctypes.c_double * len(numbers))(*numbers)
        double = ctypes.c_int64.in_dll(self._library, "H5T_NATIVE_DOUBLE_g")
        status = self._library.H5Dwrite(ctypes.c_int64(dataset), double, zero, zero, zero, values)
        self._library.H5Dclose(ctypes.c_int64(dataset))
        if status < 0:
            raise OSError(f"{self.path}: {name} cannot be written")


def planes(path):
    """Returns {name: (shape, bytes)} of a surface: coordinates, mask and every plane."""
    with Hdf5(path) as file:
        return {name: file.read(name) for name in file.names() if name != "dir_file"}


def doubles(plane):
    """The numbers of (shape, bytes)."""
    return list(struct.unpack(f"<{len(plane[1]) // 8}d", plane[1]))


def png(width, height, colour, seed=""):
    """The bytes of a PNG file of one colour, at most 128, under noise."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + bytes(c + (n >> 1) for c, n in
                                  zip(colour * width, noise.randbytes(3 * width)))
                    for _ in range(height))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def png_pixels(contents):
    """Returns (width, height, bytes of red, green, blue) of a PNG file without palette or interlacing."""
    width, height, depth, colours = struct.unpack_from(">IIBB", contents, 16)
    channels = {2: 3, 6: 4}[colours]
    assert depth == 8 and contents[28] == 0
    data, at = b"", 8
    while at < len(contents):
        length, kind = struct.unpack_from(">I4s", contents, at)
        data += contents[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    data = zlib.decompress(data)
    pixels, above, stride = bytearray(), bytearray(width * channels), width * channels
    for row in range(height):
        begin = row * (stride + 1)
        above = unfiltered(data[begin], bytearray(data[begin + 1:begin + 1 + stride]), above,
                           channels)
        for channel_of_pixel in range(0, stride, channels):
            pixels += above[channel_of_pixel:channel_of_pixel + 3]
    return width, height, bytes(pixels)


def unfiltered(kind, line, above, step):
    """A row of a PNG: what was subtracted from its bytes is added again."""
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        if kind == 1:
            line[i] = line[i] + left & 255
        elif kind == 2:
            line[i] = line[i] + above[i] & 255
        elif kind == 3:
            line[i] = line[i] + (left + above[i] >> 1) & 255
        elif kind == 4:
            corner = above[i - step] if i >= step else 0
            estimate = left + above[i] - corner
            nearest = min((left, above[i], corner), key=lambda value: abs(estimate - value))
            line[i] = line[i] + nearest & 255
    return line

