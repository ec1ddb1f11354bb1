#!/usr/bin/env python3
"""The kernel file that the first comment of kernels/core/launch.h shows, compiled as a reader would who copies it.

  tests/simt/test_launch_template.py COMPILER [OPTION]...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the comment says that foo.h has to have.
FOO_H = """#pragma once
#include "kernels/core/op.h"
namespace topograd {
struct FooArgs {
  static constexpr std::string_view kOp = "foo";
  Tensor y, x;
  void check() const;
};
}  // namespace topograd
"""


def template():
    """The indented lines of the comment, as a file."""
    comment = (ROOT / "kernels/core/launch.h").read_text().split("#pragma once")[0]
    block = re.search(r"^//   #include.*?^//   \}  // namespace topograd::TOPOGRAD_BACKEND$", comment,
                      re.MULTILINE | re.DOTALL)
    assert block, "launch.h's first comment shows no kernel file"
    return "\n".join(line.removeprefix("//   ").removeprefix("//") for line in block[0].split("\n")) + "\n"


def main():
    compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        foo = pathlib.Path(folder) / "kernels/foo"
        foo.mkdir(parents=True)
        (foo / "foo.h").write_text(FOO_H)
        kernel = foo / "foo_1_plain.cu"
        kernel.write_text(template())
        done = subprocess.run([*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas",
                               "-fsyntax-only", f"-I{ROOT}", f"-I{folder}", "-x", "c++", str(kernel)],
                              text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"the template in launch.h does not compile:\n{done.stderr}")


main()
