"""A terminal with a shell in it, by a tmux server of its own: keys go in, the screen comes out."""

import subprocess

from gateway import until


class Terminal:
    def __init__(self, directory, columns=160, rows=40):
        self.socket = str(directory / "tmux")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "env PS1='ready> ' sh")
        self.shows("ready>")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True, text=True, timeout=20).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def shows(self, *texts):
        """The screen, once all of these are on it."""
        until(lambda: all(text in self.screen() for text in texts), f"{texts} on the screen", within=20)
        return self.screen()

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def run(self, command):
        self.keys("-l", command)
        self.keys("Enter")

    def state(self):
        """Whether the alternate screen is on, whether the cursor is shown."""
        return self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split()

    def settings(self, name):
        """What the terminal driver is set to; `name` is of this question alone."""
        self.run(f"clear; stty -g; echo {name}-$((40+2))")
        lines = self.shows(f"{name}-42").splitlines()
        return lines[lines.index(f"{name}-42") - 1]

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=20)
