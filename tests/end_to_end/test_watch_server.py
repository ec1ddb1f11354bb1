#!/usr/bin/env python3
"""`landscape watch --serve`: its state, figures and page, and whom it answers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import xml.etree.ElementTree

import programs
from programs import stop
from watch_test import ServedTest


class ServerTest(ServedTest):
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
        self.assertEqual(later["done"], 9)
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
                                   ("/figure.svg", 422, "choose"), ("/elsewhere", 404, ""),
                                   ("/state/", 404, ""), ("//state", 404, "")):
            got, _, text = self.get(path)
            self.assertEqual(got, status, path)
            self.assertIn(word, text)

    def test_a_line(self):
        self.put(3, "l.h5", of="l.h5")
        self.serving("l.h5", "--stay", "--serve=0")
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
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("Access-Control-Allow-Origin", self.headers)
            self.assertEqual(self.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(self.headers["X-Frame-Options"], "DENY")
            self.assertEqual(self.headers["Referrer-Policy"], "no-referrer")
            # Relative, or the token would be lost.
            self.assertIsNone(re.search(r"""(href|src)="/|fetch\(.(?!state|figure)""", text), path)
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../apps/landscape/watch/page")
        with open(os.path.join(folder, "page.js"), encoding="utf-8") as file:
            self.assertEqual(self.get("/page.js")[2], file.read())

    def test_addressed_to_others(self):
        self.put(7)
        self.serving()
        for host in ("evil.example", f"evil.example:{self.port}", "localhost.evil.example",
                     "127.0.0.1.evil.example", "[::1]", "0.0.0.0", "localhost:80@evil.example",
                     "127.0.0.1:x", " "):
            for path in ("/", "/state", "/figure.svg?kind=heat", "/report"):
                status, _, text = self.get(path, host)
                self.assertEqual(status, 403, (host, path))
                self.assertNotIn("s.h5", text)
        for host in ("localhost", "127.0.0.1", "localhost:9999"):
            self.assertEqual(self.get("/state", host)[0], 200)

    def test_only_who_knows_the_address_is_answered(self):
        self.put(7)
        self.serving()
        token = self.address.split("/")[3]
        self.assertRegex(token, "^[0-9a-f]{32}$")
        others = [token[:i] + ("0" if token[i] != "0" else "1") + token[i + 1:] for i in range(32)]
        for other in others:
            self.assertEqual(self.get(f"/{other}/state", root=True)[0], 403, other)
        for root in ("", "/", f"/{others[0]}", f"/{token[:-1]}", f"/{token}0", f"/{token.upper()}0",
                     f"/x/{token}", f"/?{token}", f"//{token}", f"/%{token}", f"/../{token}"):
            for path in ("/", "/state", "/figure.svg?kind=heat", "/page.js", "/report"):
                status, _, text = self.get(root + path, root=True)
                self.assertEqual(status, 403, root + path)
                self.assertNotIn("s.h5", text)
                self.assertNotIn(token, text + str(self.headers))
        # Without its last stroke, the page's own addresses would lead elsewhere.
        self.assertEqual(self.get(f"/{token}", root=True)[0], 308)
        self.assertEqual(self.headers["Location"], f"/{token}/")
        first = token
        self.serving()
        self.assertNotEqual(self.address.split("/")[3], first)

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
        packages = os.path.join(os.path.dirname(programs.landscape), "../apps/landscape/report")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if not chromium or not os.path.isdir(os.path.join(packages, "node_modules/playwright-core")):
            self.skipTest("SKIPPED: without chromium, or built without Node.js")
        self.put(7)
        process = self.serving()
        page = subprocess.Popen(
            ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "watch_page.mjs"),
             packages, chromium, self.address],
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
