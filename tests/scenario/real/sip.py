"""sipp at both ends of a call, and what its own records say of each call."""

import csv
import dataclasses
import pathlib
import signal

from support import processes
from support.polling import eventually

HERE = pathlib.Path(__file__).resolve().parent
# A busy machine makes sipp late; by default it gives up after so many late turns.
_PATIENT = ["-watchdog_minor_maxtriggers", 1000000, "-watchdog_major_maxtriggers", 1000000]
# A loopback loses nothing, and a front end answers at once: who says nothing for so long is gone,
# however busy the machine is.
_ANSWER_MS = 20000
# At once, of a caller that has one for each call; sipp wants no more than it may have open files.
_CONNECTIONS = 900
# In progress at once, of a caller: more than any rate here leads to.
_CALLS = 5000


@dataclasses.dataclass
class Call:
    """Times of what one end saw of a call (seconds of the wall clock); None: did not happen."""

    id: str
    invite: float = None  # the first INVITE sent or received
    answered: float = None  # its 200
    asked: float = None  # the 200 of the question in its middle
    ended: float = None  # the 200 of the BYE

    @property
    def open(self):
        return self.answered and not self.ended


# Which requests have which number: the callers count them (uac.xml).
_ANSWERS = {"CSeq:1": "answered", "CSeq:2": "asked", "CSeq:3": "ended"}


class Messages:
    """A short message log of sipp, read on as it grows: every call by its Call-ID."""

    def __init__(self, file):
        self._file, self._offset, self._calls = file, 0, {}

    def calls(self):
        if self._file.exists():
            with open(self._file, "rb") as file:
                file.seek(self._offset)
                octets = file.read()
            whole = octets[: octets.rfind(b"\n") + 1]
            self._offset += len(whole)
            for line in whole.decode("utf-8", errors="replace").splitlines():
                self._read(line.split("\t"))
        return self._calls

    def _read(self, fields):
        # DATE TIME SECONDS DIRECTION CALL-ID CSEQ FIRST-LINE
        if len(fields) != 7:
            return
        call = self._calls.setdefault(fields[4], Call(fields[4]))
        number = fields[5].split(" ")[0]
        if fields[6].startswith("INVITE "):
            call.invite = call.invite or float(fields[2])
        elif fields[6].startswith("SIP/2.0 200") and number in _ANSWERS:
            what = _ANSWERS[number]
            setattr(call, what, getattr(call, what) or float(fields[2]))


class Answering:
    """A sipp that takes calls on one address and port; each run has a log of its own."""

    def __init__(self, folder, address, port):
        self.folder, self.address, self.port = folder, address, port
        self.folder.mkdir(parents=True)
        self.pid_file, self.statistics = folder / "pid", folder / "statistics.csv"
        self.process, self._messages = None, []

    def start(self):
        run = len(self._messages) + 1
        messages = self.folder / f"messages.{run}"
        self._messages.append(Messages(messages))
        # Of the run before: nobody is to count by them.
        self.statistics.unlink(missing_ok=True)
        with open(self.folder / "out", "w", encoding="utf-8") as out:
            self.process = processes.start(
                ["sipp", "-nostdin", "-sf", HERE / "uas.xml", "-t", "t1",
                 "-i", self.address, "-bind_local", "-p", self.port,
                 "-trace_stat", "-stf", self.statistics, "-fd", 1,
                 "-trace_shortmsg", "-shortmessage_file", messages,
                 "-trace_err", "-error_file", self.folder / f"errors.{run}", *_PATIENT],
                stdout=out, stderr=out, cwd=self.folder,
            )  # fmt: skip
        fresh = self.folder / "pid.new"
        fresh.write_text(f"{self.process.pid}\n", encoding="utf-8")
        fresh.rename(self.pid_file)
        eventually(self.statistics.exists, f"sipp on {self.address}@{self.port} runs")

    def kill(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=20)

    def calls(self):
        """Of all runs, by Call-ID. A call belongs to the run that took it."""
        found = {}
        for messages in self._messages:
            found = {**messages.calls(), **found}
        return found


class Calling:
    """A sipp that makes calls at a rate until it is told to stop: it then waits for those that are
    going on. `lengths`: of each call, in seconds, in turn."""

    def __init__(self, folder, name, target, called, lengths, local, rate, transport="u1",
                 calls=None):  # fmt: skip
        self.folder, self.name, self.longest = folder / name, name, max(lengths)
        self.folder.mkdir(parents=True)
        inject = self.folder / "calls.csv"
        halves = [f"{called};{int(length * 500)}" for length in lengths]
        inject.write_text("\n".join(["SEQUENTIAL", *halves]) + "\n", encoding="utf-8")
        messages, self.statistics = self.folder / "messages", self.folder / "statistics.csv"
        self.messages = Messages(messages)
        with open(self.folder / "out", "w", encoding="utf-8") as out:
            self.process = processes.start(
                ["sipp", target, "-nostdin", "-sf", HERE / "uac.xml", "-inf", inject,
                 "-t", transport, "-max_socket", _CONNECTIONS, "-i", local, "-bind_local",
                 "-cid_str", f"{name}-%u@%s",
                 *(["-m", calls] if calls else []), "-r", rate, "-l", _CALLS,
                 "-recv_timeout", _ANSWER_MS,
                 "-trace_stat", "-stf", self.statistics, "-fd", 1,
                 "-trace_shortmsg", "-shortmessage_file", messages,
                 "-trace_err", "-error_file", self.folder / "errors", *_PATIENT],
                stdout=out, stderr=out, cwd=self.folder,
            )  # fmt: skip

    def calls(self):
        return self.messages.calls()

    def end(self):
        """No new calls; returns when the last has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
        return self.wait()

    def wait(self):
        self.process.wait(timeout=self.longest + 3 * _ANSWER_MS / 1000)
        return Outcome(self)


class Outcome:
    """What became of all calls of a caller, by its messages and by its own count."""

    def __init__(self, caller):
        calls = caller.calls().values()
        self.made = len(calls)
        self.failed = sum(1 for call in calls if not call.answered)
        self.dropped = sum(1 for call in calls if call.answered and not (call.asked and call.ended))
        self.status = caller.process.returncode
        with open(caller.statistics, encoding="utf-8") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        self.counted = int(last["TotalCallCreated"])
        self.succeeded = int(last["SuccessfulCall(C)"])
        errors = caller.folder / "errors"
        self.errors = errors.read_text(encoding="utf-8") if errors.exists() else ""
