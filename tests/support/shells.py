"""Real shells at a terminal, and what they make of a TAB."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import time

from support.polling import PATIENCE_SECONDS

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07|\x08")
# What a shell prints when it waits for input; no completion has it.
PROMPT = "@@prompt@@"
SHOW = "\x18\x16"
# While a shell runs something the terminal is the kernel's, whose keys must not take ours.
PLAIN_TERMINAL = "stty -iexten kill undef\n"


class Shell:
    """A shell behind a pseudo-terminal. Ends with end(), or with the test's process."""

    def __init__(self, arguments, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(arguments[0], [str(word) for word in arguments], environment)
            finally:
                os._exit(127)
        self.await_text(PROMPT)

    def end(self):
        os.close(self.terminal)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)

    def await_text(self, wanted):
        """What comes up to and with that text."""
        text, end = "", time.monotonic() + PATIENCE_SECONDS
        while wanted not in text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"the shell does not say {wanted!r}; it says {text!r}")
            try:
                text += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError as error:
                raise AssertionError(f"the shell ended; it said {text!r}") from error
            text = ESCAPES.sub("", text)
        return text

    def type(self, text):
        os.write(self.terminal, text.encode())


class Bash(Shell):
    """`with_package`: beside the package bash-completion, which loads our file by itself."""

    def __init__(self, folder, build, with_package, environment=None):
        script = build / "completion/bash"
        if with_package:
            # Where the package looks for those of users.
            data = pathlib.Path(folder, "data/bash-completion/completions")
            data.mkdir(parents=True, exist_ok=True)
            for each in script.iterdir():
                shutil.copy(each, data / each.name)
            setup = ". /usr/share/bash-completion/bash_completion\n"
        else:
            setup = "".join(f". '{each}'\n" for each in script.iterdir())
        # The whole line as the user would see it goes to a file when SHOW is typed: redrawing
        # is the terminal's business, the line is ours.
        self.line_file = pathlib.Path(folder, "line")
        setup += (
            f"{PLAIN_TERMINAL}PS1='{PROMPT}'\n"
            "show() { printf '%s\\n' \"$READLINE_LINE\" >\"$line_file\"; printf '@@shown@@'; }\n"
            f"line_file='{self.line_file}'\n"
            "bind -x '\"\\C-x\\C-v\": show'\n"
            "bind 'set completion-query-items 0'\nbind 'set page-completions off'\n"
            "bind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n"
        )
        rc = pathlib.Path(folder, "bashrc")
        rc.write_text(setup)
        super().__init__(
            ["bash", "--rcfile", rc, "-i"],
            {
                "PATH": f"{build}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb",
                "XDG_DATA_HOME": str(pathlib.Path(folder, "data")), "COLUMNS": "400",
                "LC_ALL": "C.UTF-8", **(environment or {}),
            },
        )  # fmt: skip

    def completed(self, typed, tabs=1):
        """The line after TAB, and what the terminal showed; then the line is thrown away."""
        self.type(typed + "\t" * tabs + SHOW)
        shown = self.await_text("@@shown@@")
        line = self.line_file.read_text().rstrip("\n")
        self.type("\x15" + SHOW)
        self.await_text("@@shown@@")
        return line, shown

    def line(self, typed):
        return self.completed(typed)[0]

    def listed(self, typed):
        """The words that a second TAB lists."""
        return set(re.findall(r"[\w./=-]+", self.completed(typed, tabs=2)[1]))


class Zsh(Shell):
    def __init__(self, folder, build, environment=None):
        self.line_file = pathlib.Path(folder, "line")
        rc = pathlib.Path(folder, ".zshrc")
        rc.write_text(
            f"{PLAIN_TERMINAL}PS1='{PROMPT}'\nunsetopt prompt_cr prompt_sp beep list_beep\n"
            f"fpath=('{build}/completion/zsh' $fpath)\n"
            f"autoload -U compinit; compinit -u -d '{folder}/zcompdump'\n"
            "zstyle ':completion:*' list-prompt ''; LISTMAX=10000\n"
            f"line_file='{self.line_file}'\n"
            "show() { print -r -- \"$BUFFER\" >$line_file; zle -I; print -n '@@shown@@' }\n"
            "zle -N show; bindkey '^X^V' show; bindkey -e; bindkey '^X^V' show\n"
        )
        super().__init__(
            ["zsh", "-d", "-i"],
            {
                "PATH": f"{build}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb",
                "ZDOTDIR": str(folder), "COLUMNS": "200", "LINES": "100", "LC_ALL": "C.UTF-8",
                **(environment or {}),
            },
        )  # fmt: skip

    completed, line, listed = Bash.completed, Bash.line, Bash.listed
