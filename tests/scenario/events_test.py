"""Events as they happen, by curl: watched, resumed, and never at the daemon's cost."""

import pathlib
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.events import Watcher, open_stream, read_to_end
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, READER, server_name

FE01, FE02 = server_name(1), server_name(2)
# The ring's size (health/api/event_hub.h).
KEPT = 10_000


class Events(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.watchers = []
        self.addCleanup(lambda: [watcher.end() for watcher in self.watchers])

    def watch(self, last_event_id=None, token=READER):
        watcher = Watcher(self.folder, self.daemon.api_port, token, last_event_id)
        self.watchers.append(watcher)
        return watcher

    def number(self, block):
        return int(block["id"].rpartition("-")[2])

    def test_an_order_is_seen_with_who_and_why(self):
        watcher = self.watch()
        self.daemon.api().drain(FE01, reason="patch night")
        block = watcher.await_event("drain", server=FE01)
        data = block["data"]
        self.assertEqual((data["type"], data["id"]), ("drain", block["id"]))
        self.assertEqual((data["by"], data["text"]), ("operations", "patch night"))
        self.assertTrue(data["origin"].startswith("127.0.0.1"), data)
        self.assertIsNone(data["service"])
        self.daemon.api().resume(FE01)
        watcher.await_event("resume", server=FE01)
        watcher.await_event("generation")

    def test_changes_of_status_say_what_was_and_what_is(self):
        watcher = self.watch()
        self.daemon.agent(1).say("front-end", sessions={"connections": 3})
        self.daemon.api().drain(FE01)
        status = watcher.await_event("status", server=FE01, service="front-end")["data"]
        self.assertEqual((status["was"], status["status"]), ("accepting", "draining"))

    def test_ids_grow_by_one_and_every_reader_gets_the_same(self):
        watchers = [self.watch() for _ in range(5)]
        for _ in range(20):
            self.daemon.api().drain(FE01)
            self.daemon.api().resume(FE01)
        self.daemon.api().drain(FE02)
        for watcher in watchers:
            watcher.await_event("drain", server=FE02)
        eventually(lambda: len({w.text() for w in watchers}) == 1, "all have read the same")
        numbers = [self.number(block) for block in watchers[0].blocks()]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_resumes_after_the_last_event_without_a_gap(self):
        first = self.watch()
        self.daemon.api().drain(FE01)
        first.await_event("drain", server=FE01)
        first.end()
        seen = first.last_id()
        self.daemon.api().resume(FE01)
        self.daemon.api().drain(FE02)
        second = self.watch(seen)
        second.await_event("drain", server=FE02)
        self.assertNotIn("reset", [block["event"] for block in second.blocks()])
        self.assertEqual(self.number(second.blocks()[0]), int(seen.rpartition("-")[2]) + 1)
        second.await_event("resume", server=FE01)

    def test_a_reader_that_saw_no_event_yet_can_resume_too(self):
        first = self.watch()
        first.end()
        self.daemon.api().drain(FE01)
        self.watch(first.last_id()).await_event("drain", server=FE01)

    def test_an_id_of_another_run_gets_a_reset_first(self):
        watcher = self.watch()
        self.daemon.api().drain(FE01)
        old = watcher.await_event("drain", server=FE01)["id"]
        self.daemon.restart()
        self.daemon.agents_push()
        again = self.watch(old)
        self.daemon.api().resume(FE01)
        resumed = again.await_event("resume", server=FE01)
        blocks = again.blocks()
        self.assertEqual(blocks[0]["event"], "reset")
        self.assertEqual(blocks[0]["data"]["type"], "reset")
        self.assertNotEqual(resumed["id"].split("-")[0], old.split("-")[0])
        # The reset's own id is where to go on.
        self.assertEqual(self.number(blocks[0]) + 1, self.number(blocks[1]))

    def flood(self):
        """More events than the ring keeps and sockets hold, as fast as three operators can: a
        forced server is an event for each of its services, and some."""
        watcher = self.watch()
        begin = int(watcher.last_id().rpartition("-")[2])

        def newest():
            probe = self.watch()
            number = int(probe.last_id().rpartition("-")[2])
            probe.end()
            return number

        def toggle(api, server):
            for turn in range(200):
                api.force(server, "down" if turn % 2 == 0 else "up")

        while newest() < begin + KEPT + 2_000:
            threads = [
                threading.Thread(target=toggle, args=(self.daemon.api(), server_name(number)))
                for number in (1, 2, 3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def test_a_slow_reader_is_cut_and_an_id_that_is_too_old_gets_a_reset(self):
        stream = open_stream(self.daemon.api_port, READER)
        stuck = open_stream(self.daemon.api_port, READER)
        first = self.watch()
        self.daemon.api().drain(FE02)
        old = first.await_event("drain", server=FE02)["id"]
        self.flood()
        # It reads on, but what it wants next is gone: the end, and not as if all had been said.
        octets = read_to_end(stream)
        self.assertIn(b"200 OK", octets)
        self.assertFalse(octets.endswith(b"0\r\n\r\n"))
        stream.close()
        again = self.watch(old)
        eventually(again.blocks, "what is left")
        self.assertEqual(again.blocks()[0]["event"], "reset")
        # One that takes nothing delays nobody, and not the end either.
        self.daemon.api().resume(FE02)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log())
        stuck.close()

    def test_readers_are_few_and_leave_room_for_the_rest(self):
        streams = [open_stream(self.daemon.api_port, READER) for _ in range(64)]
        for stream in streams:
            self.assertIn(b"200 OK", stream.recv(64))
        api = self.daemon.api()
        reply = eventually(lambda: api.call("GET", "/v1/events"), "an answer")
        self.assert_reply(reply, 503)
        api.drain(FE01)
        streams.pop().close()
        self.watch_when_there_is_room()
        for stream in streams:
            stream.close()

    def watch_when_there_is_room(self):
        def watched():
            api = self.daemon.api()
            return api.call("HEAD", "/v1/events").status == 200

        eventually(watched, "a place that somebody left")
        self.watch().end()

    def test_sigterm_ends_the_stream_well_and_at_once(self):
        watcher = self.watch()
        self.daemon.api().drain(FE01)
        begin = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log())
        self.assertLess(time.monotonic() - begin, 10 if self.sanitized else 2)
        # The content was complete: curl says 18 when it is not.
        self.assertEqual(watcher.process.wait(timeout=10), 0)
        watcher.await_event("drain", server=FE01)

    def test_agents_and_strangers_watch_nothing(self):
        for token, status in ((None, 401), ("wrong", 401), ("fe01-token", 403)):
            api = self.daemon.api(token)
            self.assert_reply(api.call("GET", "/v1/events"), status)

    def test_http_1_0_reads_to_the_connections_end(self):
        with socket.create_connection(("127.0.0.1", self.daemon.api_port)) as client:
            client.settimeout(20)
            client.sendall(
                f"GET /v1/events HTTP/1.0\r\nAuthorization: Bearer {OPERATOR}\r\n\r\n".encode()
            )
            octets = client.recv(4096)
            self.daemon.api().drain(FE01)
            while b"event: drain" not in octets:
                octets += client.recv(4096)
            self.assertNotIn(b"chunked", octets)


if __name__ == "__main__":
    main()
