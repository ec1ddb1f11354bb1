#!/usr/bin/env python3
"""`landscape watch` as a user runs it: on files that are half done, that grow, come, go and are
none; in a terminal, in a pipe, and as a server."""

import fcntl
import http.client
import json
import math
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time
import xml.etree.ElementTree

import programs
from landscape_test import LandscapeTest
from programs import Hdf5, doubles, planes, run, start, stop

ESCAPE = "\033"


class WatchTest(LandscapeTest):
    @classmethod
    def setUpClass(cls):
        """One surface of 5x3 points and one line of 3, for all tests."""
        super().setUpClass()
        cls.made = os.path.join(cls.shared, "made")
        os.mkdir(cls.made)
        shutil.copyfile(os.path.join(cls.shared, "a", "model.safetensors"),
                        os.path.join(cls.made, "a.safetensors"))
        for command in (cls.surface(cls, "s.h5"), cls.line(cls, "l.h5")):
            done = run(command, cls.made)
            assert done.returncode == 0, done.stderr

    def put(self, done, name="s.h5", changes=(), of="s.h5"):
        """Puts a surface of which `done` points are done in place, by renaming, as landscape
        does; `changes` are (point, train loss)."""
        beside = self.path("beside.h5")
        shutil.copyfile(os.path.join(self.made, of), beside)
        losses = doubles(planes(beside)["train_loss"])
        for point, loss in changes:
            losses[point] = loss
        with Hdf5(beside, writable=True) as file:
            file.write("train_loss", [loss if i < done else -1 for i, loss in enumerate(losses)])
            file.write("done", [float(i < done) for i in range(len(losses))])
        os.rename(beside, self.path(name))
        return losses

    def watch(self, *more):
        return [programs.landscape, "watch", *more]

    def watching(self, *more, ready=None):
        """Starts a watch; it is ended with the test."""
        process, seen = start(self.watch(*more), self.folder, ready)

        def end():
            if process.poll() is None:
                process.kill()
            process.stdout.close()
            process.wait()
        self.addCleanup(end)
        return process, seen


class OnceTest(WatchTest):
    def test_half_done_without_colours(self):
        losses = self.put(7)
        printed = self.run_ok(self.watch("s.h5", "--once"))
        self.assertNotIn(ESCAPE, printed)
        lines = printed.splitlines()
        self.assertLessEqual(len(lines), 23)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertRegex(lines[0], r"^s\.h5  train_loss \(cross-entropy\)  5x3 points$")
        self.assertIn("7 of 15 points, 46 %", printed)
        self.assertIn("· to do", lines[-1])
        best = min(range(7), key=lambda i: losses[i])
        found = re.search(r"^smallest (\S+) at alpha (\S+), beta (\S+)$", printed, re.MULTILINE)
        for text, number in zip(found.groups(), (losses[best], best % 5 / 2 - 1, best // 5 - 1)):
            self.assertAlmostEqual(float(text), number, places=4)
        # Rows from below: 5 points, 2 and 3 to do, 5 to do.
        picture = lines[1:-4]
        self.assertEqual(set(picture[0]), {"·"})
        self.assertNotIn("·", picture[-1])
        middle = picture[len(picture) // 2]
        self.assertTrue("·" in middle and set(middle) != {"·"}, middle)

    def test_colours(self):
        self.put(7)
        shown = {}
        for depth in ("truecolor", "", "24bit"):
            shown[depth] = self.run_ok(self.watch("s.h5", "--once", "--colour", "always"),
                                       env={**os.environ, "COLORTERM": depth, "NO_COLOR": "1"})
        self.assertIn("▀", shown[""])
        self.assertRegex(shown[""], r"\033\[0;38;5;\d+;48;5;\d+m")
        self.assertNotIn("38;2;", shown[""])
        self.assertRegex(shown["24bit"], r"\033\[0;38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+m")
        self.assertEqual(shown["24bit"], shown["truecolor"])
        for line in shown["24bit"].splitlines():  # no line leaves a colour behind
            self.assertIn((re.findall(r"\033\[[^m]*m", line) or ["\033[0m"])[-1], ["\033[0m"])
        self.assertNotEqual(self.run_ok(self.watch("s.h5", "--once", "--colour", "always",
                                                   "--colours", "magma")), shown[""])

    def test_size_is_that_of_the_terminal(self):
        self.put(15)
        for columns, lines in ((120, 50), (33, 11), (8, 4), (1, 1)):
            with self.subTest(columns=columns, lines=lines):
                printed = self.run_ok(self.watch("s.h5", "--once"), env={
                    **os.environ, "COLUMNS": str(columns), "LINES": str(lines)}).splitlines()
                self.assertLessEqual(len(printed), max(lines - 1, 1))
                self.assertLessEqual(max(map(len, printed)), columns)

    def test_what_is_not_finite(self):
        self.put(14, changes=[(2, math.nan), (13, math.inf)])
        printed = self.run_ok(self.watch("s.h5", "--once"))
        self.assertIn("· to do  ? NaN  ! infinite", printed)
        for letter in "·?!":
            self.assertIn(letter, "".join(printed.splitlines()[1:-4]))
        self.put(3, changes=[(i, math.nan) for i in range(3)])
        self.assertIn("no finite value yet", self.run_ok(self.watch("s.h5", "--once")))
        self.put(0)
        self.assertIn("0 of 15 points, 0 %", self.run_ok(self.watch("s.h5", "--once")))

    def test_other_values_and_scales(self):
        self.put(15, changes=[(0, 1e6)])
        self.assertIn(" log\n", self.run_ok(self.watch("s.h5", "--once")))
        self.assertNotIn(" log\n", self.run_ok(self.watch("s.h5", "--once", "--linear")))
        self.assertIn("^ above the scale", self.run_ok(self.watch("s.h5", "--once", "--vmax", "9")))
        self.assertIn("train_acc (train accuracy (%))",
                      self.run_ok(self.watch("s.h5", "--once", "--values", "train_acc")))

    def test_a_line_is_a_curve(self):
        self.put(2, "l.h5", of="l.h5")
        printed = self.run_ok(self.watch("l.h5", "--once"))
        self.assertIn("2 of 3 points, 66 %", printed)
        self.assertRegex(printed, r"smallest \S+ at alpha \S+\n")
        self.assertTrue(set("".join(printed.splitlines()[1:-4])) <= set(" ▁▂▃▄▅▆▇█·"), printed)

    def test_a_map_over_a_surface(self):
        self.run_ok(self.surface("s.h5"))
        self.run_ok([programs.landscape, "coherence", "a.safetensors", "--data", programs.images,
                     "--images", "40", "--batches", "4", "--batch-size", "10", "--over", "s.h5",
                     "--output", "m.h5", "--no-pictures", "--threads", "1"], stderr=None)
        self.assertIn("coherence_cosine (mean cosine",
                      self.run_ok(self.watch("m.h5", "--once")))

    def test_refusals(self):
        self.put(15)
        whole = self.read("s.h5", "rb")
        self.write("cut.h5", whole[:len(whole) // 2])
        self.write("text.h5", b"hello")
        self.write("nothing.h5", b"")
        self.write("log.csv", b"epoch,learning_rate,train_loss\n")
        for arguments, word in (
                (["missing.h5", "--once"], "missing.h5"), (["cut.h5", "--once"], "cut.h5"),
                (["cut.h5"], "cut.h5"), (["text.h5"], "text.h5"), (["nothing.h5"], "empty"),
                (["log.csv"], "a training's log"), (["a.safetensors"], "is a network"),
                (["."], "folder"), ([], "name the surface"), (["s.h5", "l.h5"], "one surface"),
                (["s.h5", "--values", "beauty"], "train_acc"),
                (["s.h5", "--colours", "jet"], "jet"), (["s.h5", "--colour", "red"], "red"),
                (["s.h5", "--serve=x"], "port"), (["s.h5", "--serve=70000"], "port"),
                (["s.h5", "--once", "--serve"], "--serve"), (["s.h5", "--once", "--stay"], "--stay"),
                (["s.h5", "--log", "--linear"], "--linear")):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.watch(*arguments), word)

    def test_help(self):
        printed = self.run_ok(self.watch("--help"))
        for flag in ("--once", "--serve", "--stay", "--colour", "--values"):
            self.assertIn(flag, printed)
        self.assertIn("landscape watch", self.run_ok([programs.landscape, "--help"]))


class GrowingTest(WatchTest):
    def line_of(self, process):
        line = process.stdout.readline()
        self.assertNotIn(ESCAPE, line)
        return line

    def test_a_line_for_every_change(self):
        process, _ = self.watching("s.h5")
        self.assertIn("s.h5: not there yet: waiting", self.line_of(process))
        self.put(4)
        self.assertIn("s.h5: 4 of 15 points, 26 %, smallest", self.line_of(process))
        self.put(9)
        self.assertRegex(self.line_of(process),
                         r"9 of 15 points, 60 %, \S+ points/s, \S+ left, smallest")
        os.remove(self.path("s.h5"))
        self.assertIn("the file is gone", self.line_of(process))
        self.put(15)
        self.assertIn("15 of 15 points, 100 %, finished", self.line_of(process))
        self.assertEqual(process.stdout.read(), "")
        self.assertEqual(process.wait(programs.TIMEOUT), 0)

    def test_beside_a_computation(self):
        process, _ = self.watching("new.h5", ready="new.h5")
        self.run_ok(self.surface("new.h5", "--save-seconds", "0"))
        said = process.stdout.read()
        self.assertEqual(process.wait(programs.TIMEOUT), 0, said)
        self.assertIn("15 of 15 points, 100 %, finished", said)

    def test_replacing_is_never_an_error(self):
        """The file is another one several hundred times, a second long."""
        self.put(3)
        whole = self.read("s.h5", "rb")
        process, _ = self.watching("s.h5", ready="s.h5")
        end = time.monotonic() + 1
        while time.monotonic() < end:
            os.rename(self.write("beside.h5", whole), self.path("s.h5"))
        self.assertIsNone(process.poll())
        self.put(15)
        self.assertTrue(process.stdout.read().endswith("\n"))
        self.assertEqual(process.wait(programs.TIMEOUT), 0)

    def test_interrupted_and_staying(self):
        self.put(15)
        process, seen = self.watching("s.h5", "--stay", ready="s.h5")
        self.assertIn("finished", seen[0])
        self.assertEqual(stop(process, signal.SIGINT), "")
        self.assertEqual(process.returncode, 130)

    def test_broken_while_it_is_watched(self):
        self.put(4)
        process, _ = self.watching("s.h5", ready="s.h5")
        self.write("s.h5", self.read("s.h5", "rb")[:1000])
        self.assertRegex(process.stdout.read(), r"\Alandscape: [^\n]*s\.h5[^\n]*\n\Z")
        self.assertEqual(process.wait(programs.TIMEOUT), 1)


class TerminalTest(WatchTest):
    """In a terminal of 60x20 characters."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.resize(20, 60)
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def watching(self, *more, **variables):
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **variables}
        if "NO_COLOR" not in variables:
            env.pop("NO_COLOR", None)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen([str(word) for word in self.watch(*more)], cwd=self.folder,
                                   stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                   preexec_fn=own_terminal, env=env)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.addCleanup(end)
        return process

    def read_until(self, process, words):
        """What the terminal gets from now on, until `words` are in it (None: the process ends)."""
        got = b""
        end = time.monotonic() + programs.TIMEOUT
        while time.monotonic() < end:
            ended = process.poll() is not None
            if select.select([self.master], [], [], 0.05)[0]:
                got += os.read(self.master, 65536)
                if words is not None and words in got.decode(errors="replace"):
                    break
            elif ended:
                break
        text = got.decode(errors="replace")
        if words is not None:
            self.assertIn(words, text)
        return text

    def assert_restored(self, text, before):
        """After the text the cursor is there, the first page is back, no colour is left."""
        self.assertEqual(termios.tcgetattr(self.slave), before)
        self.assertEqual(text.count("\033[?1049h"), text.count("\033[?1049l"))
        self.assertEqual(text.count("\033[?25l"), text.count("\033[?25h"))
        self.assertGreater(text.rfind("\033[?25h"), text.rfind("\033[?25l"))
        self.assertGreater(text.rfind("\033[?1049l"), text.rfind("\033[?1049h"))
        self.assertEqual(re.findall(r"\033\[[0-9;]*m", text)[-1], "\033[0m")

    def test_interrupted(self):
        before = termios.tcgetattr(self.slave)
        self.put(7)
        process = self.watching("s.h5")
        text = self.read_until(process, "7 of 15 points, 46 %")
        self.assertIn("▀", text)
        self.assertNotEqual(termios.tcgetattr(self.slave), before)  # no echo into the picture
        os.write(self.master, b"\x03")
        text += self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 130)
        self.assert_restored(text, before)
        after = text[text.rfind("\033[?1049l"):].removeprefix("\033[?1049l")
        self.assertRegex(after, r"\As\.h5: 7 of 15 points, 46 %[^\033]*\r\n\Z")

    def test_waiting_growing_finished(self):
        before = termios.tcgetattr(self.slave)
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
        before = termios.tcgetattr(self.slave)
        self.put(7)
        process = self.watching("s.h5", "--linear")
        text = self.read_until(process, "to do")
        self.assertEqual(text.split("\033[H")[1].count("\r\n") + 1, 20)
        self.resize(11, 33)
        again = self.read_until(process, "to do")
        frame = next(frame for frame in again.split("\033[H") if "to do" in frame)
        shown = re.sub(r"\033\[[?0-9;]*[A-Za-z]", "", frame).split("\r\n")
        self.assertEqual(len(shown), 11)
        self.assertLessEqual(max(map(len, shown)), 33)
        os.write(self.master, b"q")
        text += again + self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 0)
        self.assert_restored(text, before)

    def test_stopped_and_continued(self):
        before = termios.tcgetattr(self.slave)
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
        before = termios.tcgetattr(self.slave)
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
        os.write(self.master, b"\x03")
        self.read_until(process, None)
        self.assertEqual(process.wait(programs.TIMEOUT), 130)


class ServerTest(WatchTest):
    def serving(self, *more):
        process, seen = self.watching(*(more or ("s.h5", "--serve=0")), ready="s.h5: serving")
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", seen[-1]).group(1))
        return process

    def get(self, path, host=None, method="GET"):
        """(status, type, text) of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=programs.TIMEOUT)
        connection.request(method, path, headers={"Host": host or f"localhost:{self.port}"})
        answer = connection.getresponse()
        self.headers = answer.headers
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get_content_type(), text

    def state(self, wanted=None):
        """The state, once it is as `wanted` says."""
        end = time.monotonic() + programs.TIMEOUT
        while True:
            status, kind, text = self.get("/state")
            self.assertEqual((status, kind), (200, "application/json"))
            state = json.loads(text)
            if wanted is None or wanted(state) or time.monotonic() > end:
                return state
            time.sleep(0.02)

    def test_the_state_follows_the_file(self):
        process = self.serving()
        state = self.state()
        self.assertEqual((state["state"], state["version"], state["file"]), ("waiting", 0, "s.h5"))
        self.assertEqual(self.get("/figure.svg?kind=heat")[0], 404)
        losses = self.put(7)
        state = self.state(lambda now: now["version"] == 1)
        self.assertEqual((state["state"], state["done"], state["total"]), ("running", 7, 15))
        self.assertEqual(state["kinds"], ["heat", "contours", "surface", "lines"])
        self.assertIsNone(state["seconds_left"])
        self.assertEqual(state["smallest"]["value"], min(losses[:7]))
        self.assertEqual(self.state()["version"], 1)
        self.put(9)
        later = self.state(lambda now: now["version"] == 2)
        self.assertEqual((later["session"], later["done"]), (state["session"], 9))
        self.assertGreater(later["rate"], 0)
        os.remove(self.path("s.h5"))
        self.assertTrue(self.state(lambda now: now["gone"])["gone"])
        self.put(15)
        # It ends once it has said so.
        self.assertEqual(self.state(lambda now: now["done"] == 15)["state"], "finished")
        self.assertEqual(process.wait(programs.TIMEOUT), 0)

    def test_figures(self):
        self.put(7)
        self.serving()
        self.state(lambda now: now["version"] == 1)
        drawn = {}
        for kind in ("heat", "contours", "surface", "lines"):
            status, of_type, drawn[kind] = self.get(f"/figure.svg?kind={kind}")
            self.assertEqual((status, of_type), (200, "image/svg+xml"), drawn[kind])
            xml.etree.ElementTree.fromstring(drawn[kind])
        self.assertEqual(len(set(drawn.values())), 4)
        self.assertIn("unfinished: 7 of 15 points", drawn["heat"])
        self.assertEqual(self.get("/figure.svg?kind=heat")[2], drawn["heat"])
        self.assertIn('width="520"', self.get("/figure.svg?kind=heat&narrow=1")[2])
        self.put(8)
        self.state(lambda now: now["version"] == 2)
        self.assertIn("unfinished: 8 of 15 points", self.get("/figure.svg?kind=heat")[2])
        for path, status, word in (("/figure.svg?kind=curves", 422, "grid"),
                                   ("/figure.svg?kind=cake", 422, "cake"),
                                   ("/figure.svg", 422, "choose"), ("/elsewhere", 404, "")):
            got, _, text = self.get(path)
            self.assertEqual(got, status, path)
            self.assertIn(word, text)

    def test_a_line(self):
        self.put(3, "l.h5", of="l.h5")
        process, seen = self.watching("l.h5", "--stay", "--serve=0", ready="l.h5: serving")
        self.port = int(re.search(r":(\d+)/", seen[-1]).group(1))
        self.assertEqual(self.state(lambda now: now["version"] == 1)["kinds"], ["curves"])
        self.assertIn("<svg", self.get("/figure.svg?kind=curves")[2])

    def test_the_page_asks_nobody_else(self):
        self.serving()
        for path, kind in (("/", "text/html"), ("/page.css", "text/css"),
                           ("/page.js", "text/javascript")):
            status, of_type, text = self.get(path)
            self.assertEqual((status, of_type), (200, kind))
            self.assertIsNone(re.search(r"(https?:)?//[\w.-]+\.\w", re.sub(r"// .*", "", text)), path)
            policy = self.headers["Content-Security-Policy"]
            self.assertTrue(policy.startswith("default-src 'none';"), policy)
            self.assertNotIn("unsafe", policy)
            self.assertNotIn("Access-Control-Allow-Origin", self.headers)
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../apps/watch")
        with open(os.path.join(folder, "page.js"), encoding="utf-8") as file:
            self.assertEqual(self.get("/page.js")[2], file.read())

    def test_addressed_to_others(self):
        self.put(7)
        self.serving()
        for host in ("evil.example", f"evil.example:{self.port}", "localhost.evil.example",
                     "127.0.0.1.evil.example", "[::1]", "0.0.0.0"):
            for path in ("/", "/state", "/figure.svg?kind=heat", "/report"):
                status, _, text = self.get(path, host)
                self.assertEqual(status, 403, (host, path))
                self.assertNotIn("s.h5", text)
        for host in ("localhost", "127.0.0.1", "localhost:9999"):
            self.assertEqual(self.get("/state", host)[0], 200)
        self.assertNotEqual(self.get("/state", method="POST")[0], 200)

    def test_only_this_machine_is_listened_to(self):
        self.serving()
        with open("/proc/net/tcp", encoding="utf-8") as file:
            listening = [line.split()[1] for line in file if line.split()[3] == "0A"]
        self.assertEqual([place for place in listening if place.endswith(f":{self.port:04X}")],
                         [f"0100007F:{self.port:04X}"])

    def test_a_taken_port(self):
        self.put(7)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assert_refused(self.watch("s.h5", f"--serve={port}"), str(port), "taken")
        self.serving()
        self.assert_refused(self.watch("s.h5", "--serve", str(self.port)), "taken")

    def test_interrupted(self):
        self.put(7)
        process = self.serving()
        with socket.create_connection(("127.0.0.1", self.port)):  # one that never says anything
            self.state()
            stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130)
        self.serving("s.h5", f"--serve={self.port}")  # the port is free at once

    def test_the_report(self):
        self.put(7)
        self.serving()
        state = self.state(lambda now: now["version"] == 1)
        status, kind, page = self.get("/report")
        if not state["report"]:
            self.assertEqual(status, 404)
            self.skipTest("SKIPPED: built without Node.js")
        self.assertEqual((status, kind), (200, "text/html"))
        self.assertIn('id="report-data"', page)

    def test_the_page_in_a_browser(self):
        packages = os.path.join(os.path.dirname(programs.landscape), "../apps/report")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if not chromium or not os.path.isdir(os.path.join(packages, "node_modules/playwright-core")):
            self.skipTest("SKIPPED: without chromium, or built without Node.js")
        self.put(7)
        process = self.serving()
        page = subprocess.Popen(
            ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "watch_page.mjs"),
             packages, chromium, f"http://127.0.0.1:{self.port}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(page.kill)
        said = []
        for line in page.stdout:
            said.append(line)
            if line in ("seen 1\n", "seen 2\n"):
                self.put({"seen 1\n": 9, "seen 2\n": 15}[line])
        self.assertEqual(said, ["seen 1\n", "seen 2\n", "seen 3\n"], "".join(said))
        page.stdout.close()
        self.assertEqual(page.wait(programs.TIMEOUT), 0)
        self.assertEqual(process.wait(programs.TIMEOUT), 0)


if __name__ == "__main__":
    programs.main()
