"""What a process uses: processor time, memory, descriptors; and what it may use."""

import os
import pathlib
import resource

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")


def cpu_seconds(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident(pid):
    """Octets."""
    statm = pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="utf-8")
    return int(statm.split()[1]) * _PAGE


def descriptors(pid):
    return {int(name) for name in os.listdir(f"/proc/{pid}/fd")}


def take_all_descriptors(pid):
    """From now on it can open nothing more; what is open stays. Returns the limit from before, for
    give_descriptors()."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = descriptors(pid)
    lowest_free = next(n for n in range(len(opened) + 1) if n not in opened)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    return before


def give_descriptors(pid, limit):
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
