"""One file that holds what a bare machine with a GPU needs: programs, their libraries, data.

A build folder's layout, and beside it lib/ (LD_LIBRARY_PATH) and shared/ (published networks). The
archive is one block for the compressor, so that what the programs have in common counts once.
"""
import lzma
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

from runner import PROGRAMS, Skipped, find_shared

# glibc and its loader belong to the system; NVIDIA's libraries to the driver and the toolkit.
NOT_PACKED = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|resolv)\.so.*|"
                        r"lib(cuda|cudart|cublas|cublasLt|cudnn\w*|nvrtc|nvidia\w*)\.so.*)$")
MOST_MIB = 60  # what docs/gpu.md promises
CIFAR10_RECORD = 1 + 3 * 32 * 32
TRAINING_IMAGES = 500  # those that the golden surfaces are made of
# One surface of the two: a network's directions are 7 MB that no compressor makes smaller.
GOLDEN = ["golden/resnet56_directions.h5", "golden/resnet56_surface_fp64_5x5_batch1_first500.h5"]
WARNING = f"""The first {TRAINING_IMAGES} images of data_batch_1.bin are CIFAR-10's; all other
training images repeat them, so that the files have their size. The test images are all there.
"""


def make(binaries, archive, commit):
    with tempfile.TemporaryDirectory() as folder:
        stage = pathlib.Path(folder)
        (stage / "COMMIT").write_text(commit + "\n")
        there = [name for name in PROGRAMS if (binaries / name).exists()]
        for name in there:
            copy_program(binaries / name, stage / name)
        copy_libraries([stage / name for name in there], stage / "lib")
        copy_shared(stage / "shared", binaries)
        compress(stage, archive)
    for name in set(PROGRAMS) - set(there):
        print(f"SKIPPED: {name}: it is not in {binaries}")
    size = archive.stat().st_size / 2**20
    print(f"{archive}: {size:.1f} MiB")
    if size > MOST_MIB:
        print(f"WARNING: that is above {MOST_MIB} MiB: leave something out of shared/")
    return 0


def copy_program(source, target):
    """Without debug symbols, which are most of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    if shutil.which("strip"):
        subprocess.run(["strip", str(target)], check=True)


def copy_libraries(programs, target):
    target.mkdir()
    for program in programs:
        listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True,
                                check=True).stdout
        for name, path in re.findall(r"(\S+) => (/\S+)", listed):
            if not NOT_PACKED.match(name) and not (target / name).exists():
                copy_program(path, target / name)


def copy_shared(target, binaries):
    """What tests/published/test_published.cpp reads, where it can be found here."""
    try:
        shared = find_shared(binaries)
    except Skipped as reason:
        shared = print(f"SKIPPED: {reason}")
    if not shared:
        print("SKIPPED: published networks and real data: they are not here, so not in the pack")
        return
    source, cifar10 = pathlib.Path(shared["TOPOGRAD_SHARED"]), target / "cifar10"
    cifar10.mkdir(parents=True)
    shutil.copy(pathlib.Path(shared["TOPOGRAD_CIFAR10"]) / "test_batch.bin", cifar10)
    with open(pathlib.Path(shared["TOPOGRAD_CIFAR10"]) / "data_batch_1.bin", "rb") as batch:
        (cifar10 / "first_images.bin").write_bytes(batch.read(TRAINING_IMAGES * CIFAR10_RECORD))
    shutil.copytree(shared["TOPOGRAD_WEIGHTS"], target / "networks")
    names = GOLDEN + [str(path.relative_to(source))
                      for path in source.glob("weights/*/*_test_logits.npy")]
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)


def compress(folder, archive):
    filters = [{"id": lzma.FILTER_X86},
               {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 28}]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(archive, "wb", filters=filters) as stream:
        with tarfile.open(fileobj=stream, mode="w") as tar:
            tar.add(folder, arcname=".")


def unpack(archive, folder):
    """The folder, filled from the archive."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(archive, "r:xz") as tar:
        tar.extractall(folder)
    cifar10 = folder / "shared" / "cifar10"
    if cifar10.is_dir():
        first = (cifar10 / "first_images.bin").read_bytes()
        for i in range(1, 6):
            (cifar10 / f"data_batch_{i}.bin").write_bytes(first * (10_000 // TRAINING_IMAGES))
        (cifar10 / "README").write_text(WARNING)
    return folder
