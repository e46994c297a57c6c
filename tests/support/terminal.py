"""A terminal of any size, looked at as its user would: tmux."""

import os
import secrets
import shlex

from support import processes
from support.polling import eventually


class Terminal:
    """A shell in a pane; `run` types a command and does not wait for its end."""

    def __init__(self, width, height, environment):
        self.socket = f"sluice-{secrets.token_hex(6)}"
        self.tmux("new-session", "-d", "-x", width, "-y", height, "env", "PS1=$ ", "bash", "--norc",
                  environment={**os.environ, "TERM": "screen", **environment})  # fmt: skip
        eventually(lambda: "$" in self.text(), "the shell is there")

    def tmux(self, *words, environment=None):
        # A server of its own, without anybody's configuration.
        done = processes.run(
            ["tmux", "-L", self.socket, "-f", "/dev/null", *words], env=environment
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def run(self, *words):
        self.type(shlex.join(str(word) for word in words))
        self.press("Enter")

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", width, "-y", height)

    def lines(self):
        return self.tmux("capture-pane", "-p").split("\n")[:-1]

    def text(self):
        return "\n".join(self.lines()).rstrip("\n")

    def coloured(self):
        return self.tmux("capture-pane", "-p", "-e")

    def shows_cursor(self):
        return self.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def is_alternate(self):
        return self.tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    def close(self):
        processes.run(["tmux", "-L", self.socket, "kill-server"])
