#!/usr/bin/python3
"""docs/tasks, and the README: every command of theirs is one that the programs take, every link leads somewhere.

Nothing is computed here; at night docs/tasks/run.py runs the pages on real data.
"""

import importlib.util
import os
import re
import shlex
import unittest

import programs

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TASKS = os.path.join(ROOT, "docs", "tasks")

loader = importlib.util.spec_from_file_location("run", os.path.join(TASKS, "run.py"))
runner = importlib.util.module_from_spec(loader)
loader.loader.exec_module(runner)

HEREDOC = re.compile(r"<<'END'\n.*?^END$", re.M | re.S)


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def documents():
    return ["README.md", *(f"docs/tasks/{name}" for name in ["README.md", *runner.pages()])]


def commands(block):
    """Yields the words of every call of a program in a block of shell commands."""
    text = re.sub(r"\$\(\(.*?\)\)|\$\w+", "1", HEREDOC.sub("", block).replace("\\\n", " "))
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        for separator in ("||", "|", ">", ";"):
            if separator in words:
                words = words[:words.index(separator)]
        while words and not re.fullmatch(r"(build/release/bin/)?(train|landscape)|apps/\w+_torch\.py", words[0]):
            words = words[1:]
        if words:
            yield [os.path.basename(words[0]) if "torch" not in words[0] else words[0], *words[1:]]


def heading(line):
    """Returns the name by which a link calls a heading."""
    return re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")


class Pages(unittest.TestCase):
    def refusal(self, words):
        """Returns what a program says of its options, which it reads whole before it shows its help; "" if nothing."""
        if words[0].endswith(".py"):
            shown = programs.run([os.path.join(ROOT, words[0]), "--help"], ROOT).stdout
            if not shown:  # it needs PyTorch
                return ""
            unknown = [word for word in words[1:] if word.startswith("-") and not re.search(rf"{word}\b", shown)]
            return f"{unknown} is not in {words[0]} --help" if unknown else ""
        program = {"train": programs.train, "landscape": programs.landscape}[words[0]]
        done = programs.run([program, *words[1:], "--help"], ROOT)
        return done.stderr if done.returncode else ""

    def test_every_command_is_one_that_the_programs_take(self):
        count = 0
        for document in documents():
            for block in re.findall(r"^```sh\n(.*?)^```$", read(document), re.M | re.S):
                for words in commands(block):
                    with self.subTest(document=document, command=" ".join(words)):
                        self.assertEqual(self.refusal(words), "")
                    count += 1
        self.assertGreater(count, 40)

    def test_the_commands_of_the_readme_s_table_are_taken(self):
        table = re.search(r"^\| task \|.*?\n\n", read("README.md"), re.M | re.S)[0]
        found = [shlex.split(words) for words in re.findall(r"`((?:train|landscape) [^`]*)`", table)]
        self.assertGreater(len(found), 8)
        for words in found:
            with self.subTest(command=" ".join(words)):
                self.assertEqual(self.refusal([word for word in words if word != "..."]), "")

    def test_every_link_leads_somewhere(self):
        for document in documents():
            for link in re.findall(r"\]\(([^)\s]+)\)", read(document)):
                if link.startswith("http"):
                    continue
                path, _, anchor = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
                with self.subTest(document=document, link=link):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, target)))
                    if anchor:
                        headings = [heading(line) for line in read(target).splitlines() if line.startswith("#")]
                        self.assertIn(anchor, headings)

    def test_every_page_is_listed_and_quotes_what_is_printed(self):
        there = {name for name in os.listdir(TASKS) if name.endswith(".md")}
        self.assertEqual(there, {"README.md", *runner.pages()})
        for page in runner.pages():
            found = runner.blocks(page)
            with self.subTest(page=page):
                self.assertTrue(any(quoted for _, _, quoted in found))
                self.assertLess(len(runner.read(page).splitlines()), 120)
                self.assertIn(f"docs/tasks/{page}", read("README.md"))


class Quoting(unittest.TestCase):
    """How closely run.py compares."""

    def test_words_have_to_be_the_same(self):
        self.assertTrue(runner.alike("wrote runs/a", "wrote  runs/a"))
        self.assertFalse(runner.alike("wrote runs/a", "wrote runs/b"))
        self.assertTrue(runner.alike("resnet8: 19954 parameters, ...", "resnet8: 19954 parameters, 3.2 M"))
        self.assertFalse(runner.alike("resnet8: 19954 parameters, ...", "resnet20: 19954 parameters, 3.2 M"))

    def test_numbers_may_be_a_tenth_off_and_times_anything(self):
        self.assertTrue(runner.alike("loss 1.29 at 0.5", "loss 1.33 at 0.5"))
        self.assertFalse(runner.alike("loss 1.29 at 0.5", "loss 1.49 at 0.5"))
        self.assertFalse(runner.alike("loss 1.29", "loss -1.29"))
        self.assertTrue(runner.alike("961 images/s 0:11", "12345 images/s 1:02:11"))

    def test_lines_come_in_their_order(self):
        self.assertEqual(runner.missing_lines(["b", "a"], "a\nb\n"), ["a"])
        self.assertEqual(runner.missing_lines(["a", "b"], "x\na\ny\nb\n"), [])


if __name__ == "__main__":
    programs.main()
