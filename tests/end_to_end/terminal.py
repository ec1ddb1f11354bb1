"""A terminal of a test's own, whose programs' words it reads."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import programs


class Terminal:
    """Terminal of so many rows and columns; close() ends what runs in it."""

    def __init__(self, rows=20, columns=60):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.processes = []

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self):
        return termios.tcgetattr(self.slave)

    def start(self, command, cwd, **variables):
        """Starts a command; a variable that is None is not there."""
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.pop("NO_COLOR", None)
        env.update({name: value for name, value in variables.items() if value is not None})
        for name, value in variables.items():
            if value is None:
                env.pop(name, None)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=self.slave, stdout=self.slave,
                                   stderr=self.slave, preexec_fn=own_terminal, env=env)
        self.processes.append(process)
        return process

    def read(self, process, words=None):
        """What the terminal gets from now on, until `words` are in it, or the process has ended."""
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
        return got.decode(errors="replace")

    def write(self, text):
        os.write(self.master, text)
