#!/usr/bin/env python3
"""Makes every picture of docs/gallery.md, by the commands that stand there.

    make.py [PROGRAMS] [--to FOLDER] [--without PROGRAM]

PROGRAMS is the folder of train and landscape (default: build/release/bin). The blocks marked sh run one after another
in a folder of their own. What they leave in gallery/ and the document shows goes to docs/gallery, and texts into the
document; with --to the pictures and texts go to that folder alone, and the document stays as it is. Blocks that name
a program that is not installed, or is given as --without, are left out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(HERE, "..", "gallery.md")
OPTIONAL = ["chromium"]  # what a block may use beside the programs and a shell

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
PICTURE = re.compile(r"!\[[^]]*\]\(gallery/([^)]+)\)")
TEXT = re.compile(r"(<!-- gallery/(\S+) -->\n```text\n)(.*?)(^```$)", re.M | re.S)


def document():
    with open(DOCUMENT) as file:
        return file.read()


def commands(text):
    """Returns the blocks of commands, in their order."""
    return BLOCK.findall(text)


def pictures(text):
    """Returns the names of the pictures that the document shows."""
    return PICTURE.findall(text)


def texts(text):
    """Returns {name: contents} of what the document shows of programs' words."""
    return {name: contents for _, name, contents, _ in TEXT.findall(text)}


def run(blocks, programs, folder, without):
    """Runs the blocks in `folder`; those that need what is not there are named and left out."""
    missing = [name for name in OPTIONAL if name in without or not shutil.which(name)]
    left_out = [block for block in blocks if any(name in block for name in missing)]
    for block in left_out:
        print(f"make.py: without {' or '.join(missing)} this is left out: {block.splitlines()[0]}", file=sys.stderr)
    os.makedirs(os.path.join(folder, "gallery"))
    script = "".join(block for block in blocks if block not in left_out)
    environment = {**os.environ, "PATH": os.path.abspath(programs) + os.pathsep + os.environ["PATH"]}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, check=True,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def make(programs, to=None, without=()):
    """Runs all of it; returns what was made, by its names."""
    text = document()
    wanted = [*pictures(text), *texts(text)]
    with tempfile.TemporaryDirectory(prefix="topograd_gallery_") as folder:
        run(commands(text), programs, folder, without)
        at = lambda name: os.path.join(folder, "gallery", name)
        made = [name for name in wanted if os.path.exists(at(name))]
        for name in made:
            if to or name not in texts(text):
                shutil.copyfile(at(name), os.path.join(to or HERE, name))
        if not to:
            with open(DOCUMENT, "w") as file:
                file.write(TEXT.sub(lambda found: found[1] + open(at(found[2])).read() + found[4], text))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="?", default=os.path.join(HERE, "..", "..", "build", "release", "bin"))
    parser.add_argument("--to")
    parser.add_argument("--without", action="append", default=[])
    arguments = parser.parse_args()
    if not os.path.exists(os.path.join(arguments.programs, "landscape")):
        sys.exit(f"make.py: {arguments.programs} has no programs: apps/build.sh release, or name their folder")
    print("\n".join(make(arguments.programs, arguments.to, arguments.without)))


if __name__ == "__main__":
    main()
