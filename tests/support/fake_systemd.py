"""What the agent asks of systemd and of logind, by the same interfaces, on a bus of the test's own:
where the real ones cannot be started, and for what they never do when one wants it.

    /usr/bin/python3 fake_systemd.py UNIT...    on DBUS_SYSTEM_BUS_ADDRESS, until it is killed

The methods by which a test orders are systemd's (StartUnit, ...); KillUnit makes it fail, as a main
process that is killed does, ShutDown announces a shutdown as logind does.
"""

import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
PROPERTIES = "org.freedesktop.DBus.Properties"
LOGIND = "org.freedesktop.login1.Manager"
JOB = "/org/freedesktop/systemd1/job/1"


def path_of(unit):
    """As sd_bus_path_encode(3) does."""
    octets = (c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in unit)
    return "/org/freedesktop/systemd1/unit/" + "".join(octets)


class Unit(dbus.service.Object):
    runs = 0

    def __init__(self, bus, name):
        super().__init__(bus, path_of(name))
        self.state = {
            "Id": name, "LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead"
        }  # fmt: skip
        self.invocation = b""

    def turn(self, active, sub):
        self.state.update(ActiveState=active, SubState=sub)
        self.PropertiesChanged(UNIT, {"ActiveState": active, "SubState": sub}, [])

    def start(self):
        Unit.runs += 1
        self.invocation = Unit.runs.to_bytes(16, "big")
        self.turn("activating", "start")
        self.turn("active", "running")

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {**self.state, "InvocationID": dbus.ByteArray(self.invocation), "Job": ("", 0)}

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass


class Manager(dbus.service.Object):
    def __init__(self, bus, names):
        super().__init__(bus, "/org/freedesktop/systemd1")
        self.units = {name: Unit(bus, name) for name in names}

    @dbus.service.method(MANAGER)
    def Subscribe(self):
        pass

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StartUnit(self, name, mode):
        if self.units[name].state["ActiveState"] != "active":
            self.units[name].start()
        return dbus.ObjectPath(JOB)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StopUnit(self, name, mode):
        self.units[name].turn("inactive", "dead")
        return dbus.ObjectPath(JOB)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def RestartUnit(self, name, mode):
        self.units[name].turn("deactivating", "stop-sigterm")
        self.units[name].turn("inactive", "dead")
        self.units[name].start()
        return dbus.ObjectPath(JOB)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def ReloadUnit(self, name, mode):
        self.units[name].turn("reloading", "reload")
        return dbus.ObjectPath(JOB)

    @dbus.service.method(MANAGER, in_signature="ssi")
    def KillUnit(self, name, whom, signal):
        self.units[name].turn("failed", "failed")


class Logind(dbus.service.Object):
    """Counts who still delays: the write end of each inhibitor's pipe is with its taker."""

    def __init__(self, bus, longest_seconds):
        super().__init__(bus, "/org/freedesktop/login1")
        self.longest = longest_seconds
        self.pipes = []
        self.preparing = os.environ.get("PREPARING") == "1"
        self.refuses = False

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        if name == "PreparingForShutdown":
            return dbus.Boolean(self.preparing)
        return dbus.UInt64(self.longest * 1_000_000)

    @dbus.service.method(LOGIND, in_signature="ssss", out_signature="h")
    def Inhibit(self, what, who, why, mode):
        if self.refuses:
            raise dbus.exceptions.DBusException("it is late", name="org.example.Refused")
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.pipes.append(read)
        taken = dbus.types.UnixFd(write)
        os.close(write)
        return taken

    @dbus.service.method(LOGIND, out_signature="u")
    def Delaying(self):
        def held(pipe):
            try:
                return os.read(pipe, 1) != b""
            except BlockingIOError:
                return True

        return sum(held(pipe) for pipe in self.pipes)

    @dbus.service.method(LOGIND, in_signature="b")
    def ShutDown(self, active):
        self.preparing = bool(active)
        self.PrepareForShutdown(active)

    @dbus.service.method(LOGIND, in_signature="b")
    def Refuse(self, refuses):
        self.refuses = bool(refuses)

    @dbus.service.signal(LOGIND, signature="b")
    def PrepareForShutdown(self, active):
        pass


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    names = [
        dbus.service.BusName("org.freedesktop.systemd1", bus),
        dbus.service.BusName("org.freedesktop.login1", bus),
    ]
    kept = [Manager(bus, sys.argv[1:]), Logind(bus, int(os.environ.get("LONGEST_DELAY", "5")))]
    GLib.MainLoop().run()
    return names, kept


main()
