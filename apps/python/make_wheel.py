#!/usr/bin/python3
"""Packs the package topograd of a build folder into a wheel, with the libraries that it is linked to.

    apps/python/make_wheel.py BUILD FOLDER [COMPRESSION]

Libraries of glibc and of the compiler are the system's, all others lie in topograd.libs/ beside the package, with their
licences; patchelf makes them find one another there. The tag says which version of glibc they need. The format is that
of PEP 427; building it needs patchelf, ldd, objdump, and of Python nothing but itself.
"""

import base64
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

# What every system with a glibc has, and what must be the system's own: PEP 600.
SYSTEM = re.compile(r"^(linux-vdso|ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libnsl|libanl|"
                    r"libgcc_s|libstdc\+\+)\.so")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries_of(module):
    """Paths by name of all that a module is linked to, but the system's."""
    found = {}
    for line in output("ldd", module).splitlines():
        name, arrow, path = line.strip().partition(" => ")
        path = path.split(" (")[0]
        if arrow and not SYSTEM.match(name):
            if path == "not found":
                sys.exit(f"make_wheel: {module} needs {name}, which is not here")
            found[name] = os.path.realpath(path)
    return found


def newest_glibc(files):
    versions = [(2, 17)]
    for file in files:
        versions += [(int(a), int(b)) for a, b in re.findall(r"GLIBC_(\d+)\.(\d+)", output("objdump", "-T", file))]
    return max(versions)


def licence_of(path):
    """The text that Debian has with a library; empty elsewhere."""
    try:
        package = output("dpkg-query", "-S", path).split(":")[0]
        with open(f"/usr/share/doc/{package}/copyright", encoding="utf-8", errors="replace") as file:
            return file.read()
    except (OSError, subprocess.CalledProcessError):
        return ""


def metadata(version, readme):
    return f"""Metadata-Version: 2.1
Name: topograd
Version: {version}
Summary: Maps of the loss around neural networks: surfaces, curvature, sharpness, paths between minima
License: MIT
Requires-Python: >=3.8
Requires-Dist: numpy
Description-Content-Type: text/markdown

{readme}"""


def pack(folder, wheel, level):
    """A zip of all files, with a RECORD of their hashes."""
    files = sorted(path for path in glob.glob(f"{folder}/**", recursive=True) if os.path.isfile(path))
    lines = []
    record = next(path for path in files if path.endswith(".dist-info/WHEEL")).replace("WHEEL", "RECORD")
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for path in files:
            name = os.path.relpath(path, folder)
            with open(path, "rb") as file:
                content = file.read()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}")
            archive.write(path, name)
        name = os.path.relpath(record, folder)
        archive.writestr(name, "\n".join([*lines, f"{name},,"]) + "\n")


def main():
    build, destination = sys.argv[1:3]
    level = int(sys.argv[3]) if len(sys.argv) > 3 else 6  # how hard to compress
    here = os.path.dirname(os.path.realpath(__file__))
    package = os.path.join(build, "python", "topograd")
    module = glob.glob(f"{package}/_core.*.so")
    if len(module) != 1:
        sys.exit(f"make_wheel: {package} has no module: build topograd_python and topograd_python_files there")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(package, f"{folder}/topograd", ignore=shutil.ignore_patterns("__pycache__"))
        os.mkdir(f"{folder}/topograd.libs")
        core = f"{folder}/topograd/{os.path.basename(module[0])}"
        libraries = libraries_of(core)
        for name, path in libraries.items():
            copy = f"{folder}/topograd.libs/{name}"
            shutil.copyfile(path, copy)
            os.chmod(copy, 0o755)
            subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", copy], check=True)
        subprocess.run(["strip", "--strip-unneeded", core], check=True)
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN/../topograd.libs", core], check=True)
        version = subprocess.run([sys.executable, "-c", "import topograd; print(topograd.__version__)"], check=True,
                                 capture_output=True, text=True,
                                 env={**os.environ, "PYTHONPATH": folder}).stdout.strip()
        shutil.rmtree(f"{folder}/topograd/__pycache__", ignore_errors=True)
        python = "cp" + sysconfig.get_config_var("py_version_nodot")
        glibc = newest_glibc([core, *glob.glob(f"{folder}/topograd.libs/*")])
        tag = f"{python}-{python}-manylinux_{glibc[0]}_{glibc[1]}_{os.uname().machine}"
        info = f"{folder}/topograd-{version}.dist-info"
        os.mkdir(info)
        with open(f"{here}/../../README.md", encoding="utf-8") as file:
            readme = file.read()
        licences = "\n".join(f"{name}\n{'=' * len(name)}\n{licence_of(path)}" for name, path in
                             sorted(libraries.items()))
        texts = {"METADATA": metadata(version, readme), "LICENSES_OF_LIBRARIES": licences,
                 "WHEEL": f"Wheel-Version: 1.0\nGenerator: topograd\nRoot-Is-Purelib: false\nTag: {tag}\n"}
        for name, text in texts.items():
            with open(f"{info}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copyfile(f"{here}/../../LICENSE", f"{info}/LICENSE")
        os.makedirs(destination, exist_ok=True)
        wheel = f"{destination}/topograd-{version}-{tag}.whl"
        pack(folder, wheel + ".tmp", level)
        os.replace(wheel + ".tmp", wheel)
    print(f"{wheel}: {os.path.getsize(wheel) / 1e6:.1f} MB, {len(libraries)} libraries")


if __name__ == "__main__":
    main()
