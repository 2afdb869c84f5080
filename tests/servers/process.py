"""Child processes of a test run: started, waited for by what they print, stopped."""

import os
import re
import subprocess
import threading


class Process:
    """A running program and all that it printed."""

    def __init__(self, name, argv, env=None, cwd=None):
        self.name, self.lines, self.ended = name, [], False
        self.news = threading.Condition()
        self.popen = subprocess.Popen(
            [str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | (env or {}), cwd=cwd, encoding="utf-8", errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.popen.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def printed(self, pattern, within=60):
        """The match of `pattern` in a line, as soon as there is one. A program that ends first, or is silent, fails the run."""

        def found():
            return next(filter(None, map(re.compile(pattern).search, self.lines)), None)

        with self.news:
            self.news.wait_for(lambda: self.ended or found(), within)
            match = found()
        if match is None:
            code = self.popen.poll()
            how = f"ended with {code}" if self.ended else f"printed no {pattern!r} within {within} s"
            self.stop()
            raise RuntimeError(f"{self.name} {how}:\n{self.tail()}")
        return match

    def tail(self):
        return "\n".join(self.lines[-40:])

    def stop(self):
        self.popen.terminate()
        try:
            self.popen.wait(15)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(15)
        self.reader.join(5)
