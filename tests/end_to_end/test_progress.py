#!/usr/bin/env python3
"""Progress in terminals: narrow ones, such as cannot erase, and such as change while it is drawn."""

import os

import programs
from landscape_test import LandscapeTest
from terminal import Terminal


class ProgressTest(LandscapeTest):
    def setUp(self):
        super().setUp()
        self.terminal = Terminal(20, 80)
        self.addCleanup(self.terminal.close)

    def surface(self, **variables):
        command = LandscapeTest.surface(self, "s.h5", "--x=-1:1:21", "--y=-1:1:21")
        return self.terminal.start(command, self.folder, **variables)

    def seen(self, process):
        text = self.terminal.read(process)
        self.assertEqual(process.wait(programs.TIMEOUT), 0, text)
        return text

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in (80, 40, 20, 5):
            with self.subTest(columns):
                self.terminal.resize(20, columns)
                text = self.seen(self.surface())
                drawn = text.split("\r\033[K")[1:]
                last = drawn.pop()  # what is printed where the last line was erased
                self.assertRegex(last, r"\A\S+: 441 points.*\r\n\Z")
                self.assertTrue(drawn, text)
                self.assertLess(max(map(len, drawn)), columns, drawn)
                self.assertEqual(any("=" in line for line in drawn), columns == 80, drawn)
                os.remove(self.path("s.h5"))

    def test_a_terminal_that_cannot_erase_gets_no_sequences(self):
        for term in ("dumb", "", None):
            with self.subTest(term):
                text = self.seen(self.surface(TERM=term))
                self.assertNotIn("\033", text)
                self.assertNotIn("\r", text.replace("\r\n", ""))
                os.remove(self.path("s.h5"))


if __name__ == "__main__":
    programs.main()
