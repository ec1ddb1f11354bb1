#!/usr/bin/env python3
"""`landscape watch` in a terminal: its picture, its keys, and that it leaves the terminal as it
was."""

import os
import re
import signal

import programs
from terminal import Terminal
from watch_test import ESCAPE, WatchTest


class TerminalTest(WatchTest):
    """`landscape watch` in a terminal of 60x20 characters."""

    def setUp(self):
        super().setUp()
        self.terminal = Terminal(20, 60)
        self.addCleanup(self.terminal.close)

    def watching(self, *more, **variables):
        return self.terminal.start(self.watch(*more), self.folder, **variables)

    def read_until(self, process, words):
        """What the terminal gets from now on, until `words` are in it (None: the process ends)."""
        text = self.terminal.read(process, words)
        if words is not None:
            self.assertIn(words, text)
        return text

    def assert_restored(self, text, before):
        """After the text the cursor is there, the first page is back, no colour is left."""
        self.assertEqual(self.terminal.settings(), before)
        self.assertEqual(text.count("\033[?1049h"), text.count("\033[?1049l"))
        self.assertEqual(text.count("\033[?25l"), text.count("\033[?25h"))
        self.assertGreater(text.rfind("\033[?25h"), text.rfind("\033[?25l"))
        self.assertGreater(text.rfind("\033[?1049l"), text.rfind("\033[?1049h"))
        self.assertEqual(re.findall(r"\033\[[0-9;]*m", text)[-1], "\033[0m")

    def test_interrupted(self):
        before = self.terminal.settings()
        self.put(7)
        process = self.watching("s.h5")
        text = self.read_until(process, "7 of 15 points, 46 %")
        self.assertIn("▀", text)
        self.assertNotEqual(self.terminal.settings(), before)  # no echo into the picture
        self.terminal.write(b"\x03")
        text += self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 130)
        self.assert_restored(text, before)
        after = text[text.rfind("\033[?1049l"):].removeprefix("\033[?1049l")
        self.assertRegex(after, r"\As\.h5: 7 of 15 points, 46 %[^\033]*\r\n\Z")

    def test_waiting_growing_finished(self):
        before = self.terminal.settings()
        process = self.watching("s.h5")
        text = self.read_until(process, "not there yet")
        self.assertNotIn(ESCAPE, text)
        self.put(4)
        text += self.read_until(process, "4 of 15 points")
        self.put(15)
        text += self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 0)
        self.assert_restored(text, before)
        last = text[text.rfind("\033[?1049l"):]
        self.assertIn("15 of 15 points, 100 %, finished", last)
        self.assertIn("▀", last)

    def test_a_new_size_and_the_key_q(self):
        before = self.terminal.settings()
        self.put(7)
        process = self.watching("s.h5", "--linear")
        text = self.read_until(process, "to do")
        self.assertEqual(text.split("\033[H")[1].count("\r\n") + 1, 20)
        self.terminal.resize(11, 33)
        again = self.read_until(process, "to do")
        frame = next(frame for frame in again.split("\033[H") if "to do" in frame)
        shown = re.sub(r"\033\[[?0-9;]*[A-Za-z]", "", frame).split("\r\n")
        self.assertEqual(len(shown), 11)
        self.assertLessEqual(max(map(len, shown)), 33)
        self.terminal.write(b"q")
        text += again + self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 0)
        self.assert_restored(text, before)

    def test_stopped_and_continued(self):
        before = self.terminal.settings()
        self.put(7)
        process = self.watching("s.h5")
        text = self.read_until(process, "7 of 15")
        process.send_signal(signal.SIGTSTP)
        text += self.read_until(process, "\033[?1049l")
        self.assertTrue(os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1]))
        self.assert_restored(text, before)
        process.send_signal(signal.SIGCONT)
        text += self.read_until(process, "\033[?1049h")
        process.send_signal(signal.SIGTERM)
        text += self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 130)
        self.assert_restored(text, before)

    def test_no_colour_and_no_cursor(self):
        self.put(15)
        process = self.watching("s.h5", "--once", NO_COLOR="1")
        self.assertNotIn(ESCAPE, self.read_until(process, None))
        process = self.watching("s.h5", TERM="dumb")
        self.assertRegex(self.read_until(process, None), r"\As\.h5: 15 of 15[^\033]*\r\n\Z")

    def test_an_error_leaves_the_terminal_as_it_was(self):
        before = self.terminal.settings()
        self.put(7)
        process = self.watching("s.h5")
        text = self.read_until(process, "7 of 15")
        self.write("s.h5", b"hello")
        text += self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 1)
        self.assert_restored(text, before)
        self.assertRegex(text, r"\033\[\?1049l(\033\[\?\w+)*landscape: s\.h5[^\n]*\n\Z")

    def test_with_a_server(self):
        self.put(7)
        process = self.watching("s.h5", "--serve=0")
        text = self.read_until(process, "to do")
        self.assertGreaterEqual(text.count("http://127.0.0.1:"), 2)  # before and under the picture
        self.terminal.write(b"\x03")
        self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 130)


if __name__ == "__main__":
    programs.main()
