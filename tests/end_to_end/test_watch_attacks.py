#!/usr/bin/env python3
"""`landscape watch --serve` and clients that mean it harm: they learn nothing, take no memory, and
nobody else waits for them."""

import gzip
import os
import re
import resource
import socket
import time

import programs
from watch_test import ServedTest

MIB = 1 << 20
MOST_CONNECTIONS = 64  # LocalServer's
SLOW = 2 if "TOPOGRAD_SANITIZED" not in os.environ else 20  # seconds that an answer may take


class Attacks(ServedTest):
    def setUp(self):
        super().setUp()
        self.put(7)
        self.process = self.serving()
        self.state(lambda now: now["version"] == 1)
        for path in ("/figure.svg?kind=heat", "/figure.svg?kind=surface", "/report"):
            self.get(path)
        self.path_of_state = f"/{self.address.split('/')[3]}/state"
        self.host = f"Host: localhost:{self.port}\r\n"
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")  # the peak counts from here
        self.before = self.peak()

    def tearDown(self):
        self.assertIsNone(self.process.poll(), "the server has ended")
        began = time.monotonic()
        self.assertEqual(self.state()["done"], 7)
        self.assertLess(time.monotonic() - began, SLOW)
        grown = self.peak() - self.before
        if "TOPOGRAD_REPORT" in os.environ:
            print(f"{self.id()}: {grown / MIB:.1f} MiB more at the peak", flush=True)
        if "TOPOGRAD_SANITIZED" not in os.environ:
            self.assertLess(grown, 16 * MIB, "memory grew by what clients sent")
        super().tearDown()

    def peak(self):
        """The largest memory that the server has had, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) * 1024

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=programs.TIMEOUT)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def answer_on(client):
        """All that the server says, and its status: None if it says nothing."""
        said = b""
        try:
            while part := client.recv(65536):
                said += part
        except ConnectionError:
            pass
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", said)
        return (int(status.group(1)) if status else None), said

    def ask(self, *parts):
        """Sends bytes, as long as they are taken; returns the answer's status and all of it."""
        client = self.connect()
        self.send(client, parts)
        return self.answer_on(client)

    @staticmethod
    def send(client, parts):
        """Returns how many bytes were taken, before the server closed."""
        taken = 0
        try:
            for part in parts:
                part = part.encode() if isinstance(part, str) else part
                client.sendall(part)
                taken += len(part)
        except ConnectionError:
            pass
        return taken

    def head(self, *lines, method="GET", target=None):
        lines = "".join(line + "\r\n" for line in lines)
        return f"{method} {target or self.path_of_state} HTTP/1.1\r\n{self.host}{lines}\r\n"

    def test_a_post_of_gigabytes(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "X"):
            status, said = self.ask(self.head(f"Content-Length: {3 << 29}", method=method))
            self.assertEqual(status, 405, method)
            self.assertIn(b"Allow: GET, HEAD\r\n", said)
        client = self.connect()
        block = bytes(MIB)
        self.send(client, (self.head(f"Content-Length: {3 << 29}", method="POST"),
                           *(block for _ in range(1536))))
        self.assertEqual(self.answer_on(client)[0], 405)
        # With GET, too, a body is not read.
        status, said = self.ask(self.head(f"Content-Length: {3 << 29}"), block)
        self.assertEqual(status, 200)

    def test_who_sends_a_body_can_read_why_it_is_refused(self):
        client = self.connect()
        client.sendall(self.head("Content-Length: 200000", method="POST").encode() + bytes(200_000))
        client.shutdown(socket.SHUT_WR)
        said = b""
        while part := client.recv(4096):  # an end in good order, and no reset
            said += part
        self.assertTrue(said.startswith(b"HTTP/1.1 405 ") and said.endswith(b"HEAD\n"), said)

    def test_a_body_in_chunks_and_compressed(self):
        bomb = gzip.compress(bytes(64 * MIB), 9)
        status, _ = self.ask(self.head(f"Content-Length: {len(bomb)}", "Content-Encoding: gzip",
                                       method="POST"), bomb)
        self.assertEqual(status, 405)
        status, said = self.ask(self.head("Content-Encoding: gzip", "Transfer-Encoding: chunked"),
                                *(b"ffff\r\n" + bytes(0xffff) + b"\r\n" for _ in range(1000)))
        self.assertEqual(status, 200)
        self.assertNotIn(b"Content-Encoding", said)

    def test_headers_without_end(self):
        begin = f"GET {self.path_of_state} HTTP/1.1\r\n{self.host}"
        many = [f"X-{i}: {'y' * 1000}\r\n" for i in range(1000)]
        self.assertEqual(self.ask(begin, *many * 700)[0], 431)
        self.assertEqual(self.ask(begin, "X: ", *["y" * MIB] * 64)[0], 431)
        self.assertEqual(self.ask(begin, *["X: y\r\n"] * 1000, "\r\n")[0], 431)
        self.assertEqual(self.ask(begin, *["X: y\r\n"] * 63, "\r\n")[0], 200)
        self.assertEqual(self.ask(begin, *["X: y\r\n"] * 64, "\r\n")[0], 431)
        # As long as may be, and one byte more.
        for more, wanted in ((0, 200), (1, 431)):
            pad = 16384 - len(begin) - len("X: \r\n\r\n") + more
            self.assertEqual(self.ask(begin + "X: " + "y" * pad + "\r\n\r\n")[0], wanted, more)

    def test_absurd_targets(self):
        for target, wanted in (
                ("/" + "x" * 3000, 414), ("/" + "x" * 64 * MIB, 414), ("*", 400), ("", 400),
                ("http://localhost/state", 400), ("state", 400), ("/../../etc/passwd", 403),
                ("/%2e%2e/%2e%2e/etc/passwd", 403), ("//", 403), ("/\\..\\x", 403), ("/?" * 900, 403)):
            status, said = self.ask(f"GET {target} HTTP/1.1\r\n{self.host}\r\n")
            self.assertEqual(status, wanted, target[:40])
            self.assertNotIn(b"root:", said)
        for line in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 500, b"GET /\r\n\r\n",
                     b"GET / HTTP/1.1 x\r\n\r\n", b"GET /a\x80 HTTP/1.1\r\n\r\n", b"\r\n\r\n",
                     b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\r\n\r\n", b"GET\t/\tHTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nno header\r\n\r\n"):
            self.assertEqual(self.ask(line)[0], 400, line[:60])
        for version in ("HTTP/2.0", "HTTP/0.9", "HTTP/1.10"):
            self.assertEqual(self.ask(f"GET / {version}\r\n{self.host}\r\n")[0], 505)
        self.assertEqual(self.ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")[0], 505)

    def test_ranges_are_whole_answers(self):
        whole = self.get("/figure.svg?kind=heat")[2]
        token = self.address.split("/")[3]
        many = "bytes=" + ",".join(["0-"] * 2600)
        for ranges in ("bytes=0-9", "bytes=-5", "bytes=9-0", "bytes=0-0,2-3", "bytes=x",
                       "bytes=0-99999999999999999999", many):
            status, said = self.ask(self.head(f"Range: {ranges}",
                                              target=f"/{token}/figure.svg?kind=heat"))
            self.assertEqual(status, 200, ranges[:40])
            head, body = said.split(b"\r\n\r\n", 1)
            self.assertEqual(body.decode(), whole)
            self.assertIn(f"Content-Length: {len(body)}".encode(), head)
            self.assertNotIn(b"Content-Range", head)
            self.assertNotIn(b"multipart", head)

    def test_a_head_has_no_body(self):
        status, said = self.ask(self.head(method="HEAD"))
        head, body = said.split(b"\r\n\r\n", 1)
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(re.search(rb"Content-Length: (\d+)", head).group(1)), 100)

    def test_half_closed_and_pipelined(self):
        client = self.connect()
        client.sendall(self.head().encode())
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.answer_on(client)[0], 200)
        client = self.connect()
        client.sendall(f"GET {self.path_of_state}".encode())
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.answer_on(client), (None, b""))
        # One request, one answer; what follows it is thrown away.
        status, said = self.ask(self.head() * 20_000)
        self.assertEqual((status, said.count(b"HTTP/1.1 ")), (200, 1))
        status, said = self.ask(self.head("Content-Length: 5"), "hello", self.head())
        self.assertEqual((status, said.count(b"HTTP/1.1 ")), (200, 1))

    def served_during(self, seconds, each=lambda: None):
        """Asks for the state again and again; returns the longest time that it took."""
        longest, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            each()
            began = time.monotonic()
            self.assertEqual(self.get("/state")[0], 200)
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.01)
        if "TOPOGRAD_REPORT" in os.environ:
            print(f"{self.id()}: longest answer {longest * 1000:.0f} ms", flush=True)
        return longest

    def test_dripping_clients(self):
        begin = f"GET {self.path_of_state} HTTP/1.1\r\n".encode()
        for count in (4, 30, 100, 300):
            with self.subTest(count=count):
                clients = [self.connect() for _ in range(count)]
                sent = 0

                def drip():
                    nonlocal sent
                    for client in clients:
                        self.send(client, [begin[sent:sent + 1] or b"X"])
                    sent += 1
                self.assertLess(self.served_during(2, drip), SLOW)
                self.assertLessEqual(self.sockets(), MOST_CONNECTIONS + 1)
                for client in clients:
                    client.close()

    def sockets(self):
        folder = f"/proc/{self.process.pid}/fd"
        found = 0
        for name in os.listdir(folder):
            try:
                found += os.readlink(os.path.join(folder, name)).startswith("socket:")
            except FileNotFoundError:
                pass
        return found

    def test_who_never_asks_is_sent_away(self):
        silent, dripping = self.connect(), self.connect()
        began = time.monotonic()
        dripping.settimeout(0.2)
        said = b""
        while time.monotonic() - began < programs.TIMEOUT:
            self.send(dripping, [b"G" if not said else b"x"])
            try:
                part = dripping.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not part:
                break
            said += part
        self.assertTrue(said.startswith(b"HTTP/1.1 408 "), said)
        self.assertLess(time.monotonic() - began, 5 + SLOW)
        self.assertEqual(self.answer_on(silent)[0], 408)

    def test_who_does_not_read(self):
        """Answers that nobody takes: without the token they are small, with it a few at a time."""
        token = self.address.split("/")[3]
        for target, count in (("/", 200), (f"/{token}/page.js", 200),
                              (f"/{token}/figure.svg?kind=surface", 200), (f"/{token}/report", 50)):
            clients = []
            for _ in range(count):
                client = socket.socket()
                self.addCleanup(client.close)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                client.connect(("127.0.0.1", self.port))
                self.send(client, [self.head(target=target)])
                clients.append(client)
            time.sleep(2 if count == 50 else 0)  # reports are made meanwhile
            for client in clients:
                client.close()
            self.assertEqual(self.get("/state")[0], 200)

    def test_who_goes_before_the_answer(self):
        token = self.address.split("/")[3]
        for i in range(500):
            client = socket.create_connection(("127.0.0.1", self.port))
            client.sendall(self.head(target=f"/{token}/figure.svg?kind=surface&x={i}").encode())
            # A reset, and not an end in good order.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        self.assertEqual(self.get("/state")[0], 200)

    def test_few_descriptors(self):
        there = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (there + 4, there + 4))
        clients = [self.connect() for _ in range(30)]
        self.assertLess(self.served_during(0.5), SLOW)
        used = self.processor_seconds()
        time.sleep(0.5)
        self.assertLess(self.processor_seconds() - used, 0.25, "the server spins")
        for client in clients:
            client.close()

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_waiting_costs_nothing(self):
        client = self.connect()
        client.sendall(self.head().encode())
        self.answer_on(client)
        idle = [self.connect() for _ in range(10)]
        used = self.processor_seconds()
        time.sleep(1)
        self.assertLess(self.processor_seconds() - used, 0.3)
        for client in idle:
            client.close()


if __name__ == "__main__":
    programs.main()
