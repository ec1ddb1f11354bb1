#!/usr/bin/env python3
"""An installed Topograd as a user finds it: moved elsewhere, its programs, manual pages, completion, and a program that
links its libraries.

Run as: test_install.py <build folder> <cmake> <C++ compiler>. The build must be complete.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "end_to_end"))

import programs  # noqa: E402

EXAMPLE = os.path.join(HERE, "example")
build = cmake = compiler = None  # from the command line
prefix = None  # where the installed files are, after a move


def setUpModule():
    """Installs to one folder and moves everything to another."""
    global prefix
    folder = tempfile.mkdtemp(prefix="topograd_install_")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    first = os.path.join(folder, "first")
    done = subprocess.run([cmake, "--install", build, "--prefix", first], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    prefix = os.path.join(folder, "moved", "prefix")
    os.makedirs(os.path.dirname(prefix))
    os.rename(first, prefix)
    programs.train = installed("bin", "train")
    programs.landscape = installed("bin", "landscape")


def installed(*names):
    return os.path.join(prefix, *names)


def output_of(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=programs.TIMEOUT, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def commands():
    """The commands that have options to complete, from the installed completion itself."""
    with open(installed("share", "bash-completion", "completions", "landscape")) as file:
        return re.search(r"_topograd_words '(.*) --help --version'", file.read()).group(1).split()


def help_of(command):
    return output_of([programs.landscape, command, "--help"])


def need(program):
    if shutil.which(program) is None:
        raise unittest.SkipTest(f"SKIPPED: {program} is not installed")


class Files(unittest.TestCase):
    def test_programs_run(self):
        for program in ("train", "landscape"):
            self.assertRegex(output_of([installed("bin", program), "--version"]), rf"\A{program} \d+\.\d+\.\d+\n\Z")
        self.assertEqual(sorted(os.listdir(installed("bin"))), ["landscape", "train"])

    def test_scripts_licence_and_documents(self):
        for name in ("import_torch.py", "download_cifar10.sh"):
            self.assertTrue(os.access(installed("libexec", "topograd", name), os.X_OK), name)
        done = subprocess.run([installed("libexec", "topograd", "import_torch.py"), "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.isfile(installed("libexec", "topograd", "torch_zoo.py")))
        for name in ("LICENSE", "README.md", "docs/install.md", "docs/files.md", "docs/tasks/train-and-map.md"):
            self.assertTrue(os.path.isfile(installed("share", "doc", "topograd", name)), name)

    def test_every_installed_header_finds_what_it_includes(self):
        root = installed("include", "topograd")
        headers = [name for name in programs.files_below(root) if name.endswith(".h")]
        self.assertGreater(len(headers), 100)
        for header in headers:
            self.assertFalse(os.path.basename(header).startswith("test_"), header)
            with open(os.path.join(root, header)) as file:
                for included in re.findall(r'^#include "(.*)"', file.read(), re.MULTILINE):
                    self.assertTrue(os.path.isfile(os.path.join(root, included)), f"{header} includes {included}")

    def test_no_file_names_the_build_or_its_sources(self):
        for name in programs.files_below(installed("lib", "cmake")):
            path = installed("lib", "cmake", name)
            if os.path.isfile(path):
                with open(path) as file:
                    text = file.read()
                self.assertNotIn(SOURCE, text, name)
                self.assertNotIn("-Werror", text, name)


class ManualPages(unittest.TestCase):
    def pages(self):
        folders = [installed("share", "man", "man1"), installed("share", "man", "man7")]
        return [os.path.join(folder, name) for folder in folders for name in sorted(os.listdir(folder))]

    def test_a_page_for_every_command(self):
        names = [os.path.basename(page) for page in self.pages()]
        self.assertTrue(commands())
        for command in commands():
            self.assertIn(f"landscape-{command}.1", names)
        self.assertLessEqual({"landscape.1", "train.1", "topograd-tasks.7"}, set(names))

    def test_they_render_without_warnings(self):
        need("groff")
        for page in self.pages():
            done = subprocess.run(["groff", "-k", "-ww", "-man", "-Tutf8", "-z", page], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), page)

    def test_man_shows_every_option_of_the_help(self):
        need("man")
        environment = dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8", MANPAGER="cat")
        helps = {f"landscape-{command}": help_of(command) for command in commands()}
        helps["train"] = output_of([installed("bin", "train"), "--help"])
        for name, text in helps.items():
            page = installed("share", "man", "man1", f"{name}.1")
            done = subprocess.run(["man", "--warnings", "-l", page], env=environment, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            shown = done.stdout
            for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"):
                self.assertIn(f"\n{title}\n", shown)
            flags = programs.mentioned_flags(text)
            self.assertIn("help", flags)
            self.assertLessEqual(flags, programs.mentioned_flags(shown), page)


class Completion(programs.EndToEndTest):
    """`*words, current` is a command line with the cursor at its end."""

    def setUp(self):
        super().setUp()
        self.write("file.h5", b"")
        self.write("folder/other.h5", b"")

    def bash(self, *words):
        """What bash offers: the completion is loaded and called as bash does when TAB is hit."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; '
                  'COMP_POINT=${#COMP_LINE}; "$(complete -p "$1" | sed "s/.*-F //; s/ .*//")"; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        file = installed("share", "bash-completion", "completions", words[0])
        return self.run_ok(["bash", "-u", "-c", script, "bash", file, *words]).split()

    def fish(self, *words):
        need("fish")
        file = installed("share", "fish", "vendor_completions.d", f"{words[0]}.fish")
        lines = self.run_ok(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file,
                             " ".join(words)])
        return [line.split("\t")[0] for line in lines.splitlines()]

    def test_commands_first(self):
        for shell in (self.bash, self.fish):
            with self.subTest(shell=shell.__name__):
                offered = shell("landscape", "")
                self.assertLessEqual(set(commands()), set(offered))
                self.assertEqual(shell("landscape", "hess"), ["hessian"])

    def test_options_of_each_command(self):
        for shell in (self.bash, self.fish):
            for command in commands():
                with self.subTest(shell=shell.__name__, command=command):
                    offered = {word[2:] for word in shell("landscape", command, "--") if word.startswith("--")}
                    shown = set(re.findall(r"^ {2,6}(?:-\w, )?--([a-z0-9-]+)", help_of(command), re.MULTILINE))
                    self.assertEqual(offered, shown)

    def test_choices(self):
        for shell in (self.bash, self.fish):
            with self.subTest(shell=shell.__name__):
                self.assertEqual(sorted(shell("landscape", "hessian", "--curvature", "")), ["gauss-newton", "hessian"])
                self.assertEqual(shell("landscape", "hessian", "x.safetensors", "--curvature", "ga"), ["gauss-newton"])
        self.assertEqual(self.bash("landscape", "hessian", "--curvature", "=", "ga"), ["gauss-newton"])
        self.assertEqual(sorted(self.bash("train", "--optimizer", "adam")), ["adam", "adamw"])
        self.assertEqual(self.bash("landscape", "hessian", "-l", "ms"), ["mse"])
        self.assertEqual(sorted(self.bash("landscape", "hessian", "--curvature", "=")), ["gauss-newton", "hessian"])

    def test_files_and_folders(self):
        self.assertEqual(sorted(self.bash("landscape", "hessian", "")), ["file.h5", "folder"])
        self.assertEqual(self.bash("landscape", "hessian", "file.h5", "folder/"), ["folder/other.h5"])
        self.assertEqual(sorted(self.bash("landscape", "hessian", "--output", "")), ["file.h5", "folder"])
        self.assertEqual(self.bash("landscape", "hessian", "--data", ""), ["folder"])
        self.assertEqual(self.bash("landscape", "hessian", "--largest", ""), [])
        self.assertEqual(self.fish("landscape", "hessian", "--output", "fi"), ["file.h5"])
        self.assertEqual(self.fish("landscape", "hessian", "--data", "f"), ["folder/"])

    def test_zsh_takes_its_file(self):
        need("zsh")
        self.run_ok(["zsh", "-n", installed("share", "zsh", "vendor-completions", "_landscape")])


class Example(programs.ModelTest):
    """The program of docs/install.md: built in an empty folder, the same bits as landscape surface."""

    def test_the_document_has_it_word_for_word(self):
        with open(os.path.join(SOURCE, "docs", "install.md")) as file:
            document = file.read()
        for name in ("surface.cpp", "CMakeLists.txt"):
            with open(os.path.join(EXAMPLE, name)) as file:
                self.assertIn(f"\n{file.read()}```\n", document, name)

    def configure(self, source, folder):
        return subprocess.run([cmake, "-G", "Ninja", "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}",
                               f"-DCMAKE_CXX_COMPILER={compiler}"], capture_output=True, text=True)

    def test_a_surface(self):
        done = self.configure(EXAMPLE, self.path("build"))
        self.assertEqual(done.returncode, 0, done.stderr)
        output_of([cmake, "--build", self.path("build")])
        printed = self.run_ok([self.path("build", "surface"), "a.safetensors", programs.images])
        self.run_ok([programs.landscape, "surface", "a.safetensors", "--data", programs.images, "--images", "200",
                     "--x=-1:1:5", "--y=-1:1:3", "--seed", "1", "--no-pictures", "--output", "s.h5"])
        expected = programs.planes(self.path("s.h5"))
        self.assertEqual([float(line) for line in printed.splitlines()], programs.doubles(expected["train_loss"]))
        self.assertEqual(programs.planes(self.path("surface.h5")), expected)
        self.assertEqual(expected["train_loss"][0], (3, 5))
        self.assertEqual(len(set(programs.doubles(expected["train_loss"]))), 15)

    def test_a_project_without_the_language_c_is_told(self):
        self.write("source/CMakeLists.txt", b"cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES CXX)\n"
                                            b"find_package(topograd REQUIRED)\n")
        done = self.configure(self.path("source"), self.path("build"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("LANGUAGES C CXX", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(f"usage: {sys.argv[0]} <build folder> <cmake> <C++ compiler> [unittest's arguments]")
    build, cmake, compiler = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix="topograd_images_") as programs.images:
        programs.write_images(programs.images, {"train": 100, "test": 25})
        unittest.main(argv=[sys.argv[0]] + sys.argv[4:])
