"""A reload takes effect whole or not at all, by SIGHUP and by POST /v1/reload."""

import copy
import pathlib
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, wire
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, ZONE, configuration, server_name, v4


# Nobody waits so long for an answer of a process that is alive; a whole reload takes less.
LATE_SECONDS = 1.0


class Flood:
    """Clients that ask without a pause, each from a socket of its own and so of one worker. All
    that an answer says must be of one version: of one reload, whichever file it came from."""

    TYPES = {"mark.": 15, "text.": 16, "": 1}

    def __init__(self, port):
        self.port, self.stopping = port, threading.Event()
        self.asked, self.seen, self.wrong = 0, set(), []
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self._run, args=(tcp,)) for tcp in (False, False, False, True)
        ]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self, tcp):
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", self.port))
            last, ident = 0, 0
            try:
                while not self.stopping.is_set():
                    ident = (ident + 1) % 65536
                    last = self._ask(client, tcp, ident, last)
            except (OSError, ValueError) as error:
                self.wrong.append(f"query {ident} {'TCP' if tcp else 'UDP'}: {error!r}")

    def _ask(self, client, tcp, ident, last):
        name, qtype = list(self.TYPES.items())[ident % 3]
        query = wire.encode_query(ident, 0, dns.encode_name(name + POOL), qtype, payload=1232)
        started = time.monotonic()
        client.sendall(struct.pack(">H", len(query)) + query if tcp else query)
        answer = wire.decode(dns.read_tcp(client) if tcp else client.recv(65535))
        took = time.monotonic() - started
        versions = {record.ttl for record in answer.answer | answer.additional}
        wrong = []
        if answer.ident != ident or answer.rcode != 0 or not answer.answer:
            wrong.append(f"not an answer: {answer}")
        if took > LATE_SECONDS:
            wrong.append(f"late: {took:.3f} s")
        if len(versions) != 1 or max(versions, default=0) < last:
            wrong.append(f"{name}: of versions {versions} after {last}")
        with self.lock:
            self.asked += 1
            self.seen |= versions
            self.wrong += wrong
        return max(versions, default=last)


class Reload(Scenario):
    def reload(self, daemon, expected=200):
        daemon.write_config()
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, expected, reply.text)
        return reply

    def without_fe02(self, daemon):
        """The configuration as it is, and the same without that server."""
        whole = copy.deepcopy(daemon.config)
        less = copy.deepcopy(whole)
        del less["pools"][0]["servers"][1]
        tokens = less["api"]["tokens"]
        tokens[:] = [token for token in tokens if token["name"] != "fe02"]
        return whole, less

    def test_sighup_brings_a_new_server(self):
        daemon = self.start()
        daemon.config["pools"][0]["servers"].append(
            {"fqdn": server_name(4), "addresses": [v4(4)], "weight": 100}
        )
        daemon.write_config()
        daemon.hang_up()
        # Never heard of: unknown, until its agent speaks or a grace lets it in.
        eventually(
            lambda: dns.dig(daemon.dns_port, server_name(4), "A") == [v4(4)], "its host record"
        )

    def test_the_api_reloads_too(self):
        daemon = self.start()
        daemon.config["pools"][0]["ttl"] = "7s"
        self.reload(daemon)
        self.assertEqual(dns.ask(daemon.dns_port, POOL, "A").answer[0].ttl, 7)

    def test_a_bad_configuration_leaves_the_old_one_serving(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        good = copy.deepcopy(daemon.config)
        daemon.config["pools"][0]["ttl"] = "7s"
        daemon.config["pools"][0]["srv"][0]["service"] = "no-such-service"
        reply = self.reload(daemon, expected=409)
        self.assert_reply(reply, 409, rule="configuration")
        self.assertIn("no-such-service", reply.json["detail"])
        answer = dns.ask(daemon.dns_port, POOL, "A")
        self.assertEqual([record.ttl for record in answer.answer], [1, 1])
        daemon.hang_up()
        eventually(lambda: "no-such-service" in daemon.log(), "the log says why")
        self.assert_members(daemon, [2, 3])
        self.assertIsNone(daemon.process.poll())
        daemon.config = good
        self.reload(daemon)

    def test_holds_of_a_server_that_is_gone_are_orphans_and_come_back_with_its_name(self):
        daemon = self.start()
        daemon.api().drain(server_name(2), reason="patch")
        daemon.api().drain(server_name(3), service="call-park")
        whole, daemon.config = self.without_fe02(daemon)
        self.reload(daemon)
        self.assert_members(daemon, [1, 3])
        (orphan,) = daemon.api().get("/v1/pools")["orphans"]
        self.assertEqual((orphan["server"], orphan["hold"]["reason"]), (server_name(2), "patch"))
        daemon.config = whole
        self.reload(daemon)
        daemon.agent(2).push()
        self.assert_members(daemon, [1, 3])
        hold = daemon.api().service(server_name(2), "front-end")["holds"][0]
        self.assertEqual(hold["reason"], "patch")

    def test_orphans_survive_a_restart(self):
        daemon = self.start()
        daemon.api().drain(server_name(2))
        whole, daemon.config = self.without_fe02(daemon)
        daemon.restart()
        self.assert_members(daemon, [1, 3])
        daemon.config = whole
        daemon.restart()
        daemon.agents_push()
        self.assert_members(daemon, [1, 3])

    def test_health_and_holds_of_who_stays_are_kept(self):
        daemon = self.start()
        daemon.agent(1).say(health="down", sessions={"connections": 7})
        daemon.api().drain(server_name(2))
        daemon.config["pools"][0]["ttl"] = "2s"
        # A new order of servers changes their numbers, not what is known of their names.
        daemon.config["pools"][0]["servers"].reverse()
        self.reload(daemon)
        self.assert_members(daemon, [3])
        front_end = daemon.api().service(server_name(1), "front-end")
        self.assertEqual(front_end["sessions"], {"connections": 7})

    def test_answers_never_stop_during_reloads(self):
        daemon = self.start()
        for turn in range(10):
            daemon.config["pools"][0]["ttl"] = f"{1 + turn % 5}s"
            self.reload(daemon)
            self.assert_members(daemon, [1, 2, 3])

    def write_version(self, daemon, version, included=None):
        """Everything that is asked for has a TTL of so many seconds: in the zone's file, in the
        file that it includes, and in the configuration."""
        (daemon.folder / "zone").write_text(
            ZONE
            + f"mark {version} IN MX 1 {POOL}.\n"
            + f'text {version} IN TXT "of the zone\'s file"\n'
            + "$INCLUDE sub/included\n"
        )
        (daemon.folder / "sub").mkdir(exist_ok=True)
        (daemon.folder / "sub" / "included").write_text(
            f'text {version} IN TXT "of the included file"\n' + (included or "")
        )
        daemon.config["pools"][0]["ttl"] = f"{version}s"
        daemon.config["zones"] = [{"name": POOL, "file": "zone"}]
        daemon.write_config()

    def reload_either_way(self, daemon, by_signal, good):
        """Returns when it is done; what a bad one says of the included file."""
        if not by_signal:
            reply = daemon.api().call("POST", "/v1/reload")
            self.assertEqual(reply.status, 200 if good else 409, reply.text)
            return reply.text
        before = len(daemon.log())
        daemon.hang_up()
        word = "reloaded by SIGHUP" if good else "reload by SIGHUP refused"
        eventually(lambda: word in daemon.log()[before:], word)
        return daemon.log()[before:]

    def test_a_flood_during_reloads_gets_every_answer_and_none_of_a_mixture(self):
        config = configuration()
        config["pools"][0]["ttl"] = "1s"
        (self.folder / "authority").mkdir()
        (self.folder / "authority" / "zone").write_text(ZONE)
        daemon = self.start(config)
        self.write_version(daemon, 1)
        self.reload_either_way(daemon, False, True)
        flood = Flood(daemon.dns_port)
        self.addCleanup(flood.end)
        good = [1]
        for turn in range(20):
            version = 2 + turn
            bad = turn % 2 == 1
            # A bad one's zone is as new as its configuration: only its last line is wrong.
            self.write_version(daemon, version, "text 60 IN A 192.0.2\n" if bad else None)
            said = self.reload_either_way(daemon, turn % 4 >= 2, not bad)
            if bad:
                self.assertIn("sub/included:2: zones[0]: A record of text." + POOL, said)
                continue
            good.append(version)
            eventually(lambda: version in flood.seen or flood.wrong, f"an answer of {version}")
            answer = dns.ask(daemon.dns_port, "text." + POOL, "TXT").answer
            self.assertEqual([record.ttl for record in answer], [version, version])
        flood.end()
        self.assertEqual(flood.wrong[:5], [], f"of {flood.asked} queries")
        self.assertLessEqual(flood.seen, set(good), "answers of a configuration that was refused")
        self.assertGreater(flood.asked, 200)

    def test_a_file_that_an_include_misses_keeps_the_old_zone(self):
        daemon = self.start()
        self.write_version(daemon, 5)
        self.reload(daemon)
        (daemon.folder / "sub" / "included").unlink()
        reply = self.reload(daemon, expected=409)
        self.assertIn("zone:", reply.json["detail"])
        self.assertIn("sub/included can't be read: No such file or directory", reply.text)
        self.assertEqual(len(dns.ask(daemon.dns_port, "text." + POOL, "TXT").answer), 2)


if __name__ == "__main__":
    main()
