"""The HTTP API by curl, as dashboards and scripts of other people use it."""

import json
import pathlib
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.api import Api, Reply
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, READER, agent_token, server_name

FE01, FE02 = server_name(1), server_name(2)


class HttpApi(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()

    def curl(self, method, target, token=OPERATOR, body=None, *options):
        command = ["curl", "-sS", "-i", "-X", method, "--max-time", "20", "--path-as-is", *options]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", body]
        if not target.startswith("http"):
            target = f"http://127.0.0.1:{self.daemon.api_port}{target}"
        done = processes.run([*command, target])
        self.assertEqual(done.returncode, 0, done.stderr)
        head, _, text = done.stdout.partition("\n\n")
        lines = head.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return Reply(int(lines[0].split()[1]), headers, text)

    def test_state_of_a_server_has_the_documented_members(self):
        server = self.curl("GET", f"/v1/servers/{FE01}").json
        self.assertEqual((server["server"], server["pool"]), (FE01, POOL))
        self.assertEqual(server["addresses"], ["10.99.0.11", "fd99::11"])
        self.assertEqual(server["weight"], 100)
        self.assertEqual(server["lease"]["state"], "current")
        self.assertGreater(server["lease"]["expires_in"], 0)
        front_end = server["services"]["front-end"]
        for name, value in {
            "status": "accepting", "health": "up", "forced": None, "startup": "automatic",
            "sessions": {"connections": 0}, "in_answers": True, "holds": [],
        }.items():  # fmt: skip
            self.assertEqual(front_end[name], value, name)
        self.assertIn("run-1", front_end["instance"])
        self.assertFalse(server["verdict"]["safe_to_stop"])

    def test_pools_and_one_pool(self):
        self.assertIn(POOL, self.curl("GET", "/v1/pools").text)
        self.assertEqual(self.curl("GET", f"/v1/pools/{POOL}").json["pool"], POOL)

    def test_healthz_and_readyz_need_no_token(self):
        for target in ("/healthz", "/readyz"):
            self.assertEqual(self.curl("GET", target, None).status, 200)

    def test_401_without_a_token_with_a_wrong_one_and_by_query(self):
        for token in (None, "wrong", ""):
            reply = self.curl("GET", "/v1/pools", token)
            self.assert_reply(reply, 401)
            self.assertIn("bearer", reply.headers.get("www-authenticate", ""))
        self.assert_reply(self.curl("GET", f"/v1/pools?token={OPERATOR}", None), 400)

    def test_403_when_the_role_does_not_suffice(self):
        for token in (READER, agent_token(1)):
            self.assert_reply(self.curl("POST", f"/v1/servers/{FE01}/drain", token, "{}"), 403)
        self.assertEqual(self.curl("GET", f"/v1/servers/{FE01}", READER).status, 200)
        # An agent sees and says what is its own server's.
        self.assertEqual(self.curl("GET", f"/v1/servers/{FE01}", agent_token(1)).status, 200)
        self.assert_reply(self.curl("GET", f"/v1/servers/{FE02}", agent_token(1)), 403)
        heartbeat = json.dumps({"instance": "b", "seq": 1, "services": {}})
        target = f"/v1/servers/{FE02}/heartbeat"
        self.assert_reply(self.curl("PUT", target, agent_token(1), heartbeat), 403)
        self.assert_members(self.daemon, [1, 2, 3])

    def test_404(self):
        self.assert_reply(self.curl("GET", "/v1/servers/fe99.pool01.contoso.example"), 404)
        self.assert_reply(self.curl("POST", "/v1/servers/nowhere.example/drain", body="{}"), 404)
        self.assert_reply(self.curl("GET", "/v1/pools/other.example"), 404)
        self.assert_reply(self.curl("GET", "/v2/pools"), 404)

    def test_405_names_what_is_allowed(self):
        reply = self.curl("DELETE", f"/v1/servers/{FE01}/drain")
        self.assert_reply(reply, 405)
        self.assertIn("post", reply.headers["allow"])

    def test_400_names_the_offending_member(self):
        for body, member in [
            ('{"sevice": "front-end"}', "sevice"),
            ('{"service": 7}', "service"),
            ('{"service": "nonesuch"}', "nonesuch"),
            ('{"startup": "sometimes"}', "startup"),
            ('{"force": "yes"}', "force"),
            ('{"reason": "a", "reason": "b"}', "reason"),
        ]:
            reply = self.curl("POST", f"/v1/servers/{FE01}/drain", body=body)
            self.assertIn(member, self.assert_reply(reply, 400)["detail"], body)
        for body in ("", "[]", "{", "{}x", '"drain"'):
            reply = self.curl("POST", f"/v1/servers/{FE01}/drain", body=body)
            if body:
                self.assert_reply(reply, 400)
        self.assert_reply(
            self.curl("PUT", f"/v1/servers/{FE01}/heartbeat", agent_token(1), '{"seq": -1}'), 400
        )

    def test_409_carries_rule_and_detail(self):
        body = '{"service": "registrar"}'
        reply = self.curl("POST", f"/v1/servers/{FE01}/drain", body=body)
        self.assert_reply(reply, 409, rule="consolidated")

    def test_413(self):
        body = "@" + str(self.folder / "big")
        (self.folder / "big").write_bytes(b'{"reason": "' + b"x" * 3_000_000 + b'"}')
        reply = self.curl("POST", f"/v1/servers/{FE01}/drain", OPERATOR, body, "-H", "Expect:")
        self.assert_reply(reply, 413)

    def test_an_older_seq_and_a_boot_id_of_the_past_are_409_and_change_nothing(self):
        agent = self.daemon.agent(1)
        down = {"front-end": {"health": "down"}}
        agent.push(seq=1 << 50)
        for fields in ({"seq": (1 << 50) - 1}, {"seq": 1 << 50}):
            reply = agent.try_push(services=down, **fields)
            if fields["seq"] < 1 << 50:
                self.assert_reply(reply, 409, rule="seq")
        agent.push(seq=1, boot="boot-2")
        self.assert_reply(agent.try_push(services=down, seq=1 << 51, boot="boot-1"), 409)
        self.assert_members(self.daemon, [1, 2, 3])

    def test_a_service_that_a_heartbeat_leaves_out_keeps_what_was_said_of_it(self):
        agent = self.daemon.agent(1)
        agent.say("front-end", health="down")
        agent.push(services={"call-park": {"health": "up"}})
        self.assert_members(self.daemon, [2, 3])

    def test_the_heartbeats_reply_tells_of_the_hold(self):
        agent = self.daemon.agent(1)
        self.assertFalse(agent.push()["services"]["front-end"]["held"])
        self.daemon.api().drain(FE01, reason="patch")
        reply = agent.push()
        self.assertEqual(reply["lease"], 60.0)
        order = reply["services"]["front-end"]
        self.assertEqual((order["held"], order["reason"], order["lift"]), (True, "patch", False))
        self.assertIsNone(order["refused"])

    def test_metrics(self):
        self.daemon.api().drain(FE01)
        page = self.curl("GET", "/metrics", READER)
        self.assertEqual(page.status, 200)
        self.assertTrue(page.headers["content-type"].startswith("text/plain"))
        for line in (
            f'sluice_servers{{pool="{POOL}",service="front-end",status="accepting"}} 2',
            'sluice_holds{origin="operator"} 1',
            f'sluice_mass_loss_guard_active{{pool="{POOL}"}} 0',
        ):
            self.assertIn(line, page.text)
        for name in ("sluice_generation ", "sluice_drain_ack_seconds_count 1",
                     "sluice_store_commit_seconds_bucket{", "sluice_store_failures_total 0",
                     "sluice_heartbeats_total 3", "sluice_dns_queries_total{"):  # fmt: skip
            self.assertIn(name, page.text)

    def test_metrics_count_the_queries(self):
        for _ in range(5):
            self.members(self.daemon)
        self.members(self.daemon, tcp=True)
        page = self.curl("GET", "/metrics").text
        self.assertIn('sluice_dns_queries_total{transport="udp",rcode="NOERROR"} 5', page)
        self.assertIn('sluice_dns_queries_total{transport="tcp",rcode="NOERROR"} 1', page)

    def test_keep_alive_and_pipelining(self):
        request = (
            f"GET /v1/servers/{FE01} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {READER}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", self.daemon.api_port)) as client:
            client.settimeout(10)
            client.sendall(request * 20)
            received = b""

            def all_replies():
                nonlocal received
                received += client.recv(65536)
                return received.count(b"HTTP/1.1 200") == 20

            eventually(all_replies, "20 replies on one connection")

    def test_the_unix_sockets_users_are_operators_named_by_the_peer(self):
        path = str(self.daemon.folder / "sluice.sock")
        reply = self.curl(
            "POST", f"http://localhost/v1/servers/{FE01}/drain", None, "{}", "--unix-socket", path
        )
        self.assertEqual(reply.status, 200, reply.text)
        hold = self.daemon.api().service(FE01, "front-end")["holds"][0]
        user = processes.run(["id", "-un"]).stdout.strip()
        self.assertIn(user, hold["by"])

    def test_the_unix_sockets_mode_is_the_configured_one(self):
        mode = (self.daemon.folder / "sluice.sock").stat().st_mode
        self.assertEqual(oct(mode & 0o777), "0o600")

    def test_many_idle_connections_stop_nobody(self):
        idle = [socket.create_connection(("127.0.0.1", self.daemon.api_port)) for _ in range(100)]
        self.daemon.api().drain(FE01)
        self.assert_members(self.daemon, [2, 3])
        for each in idle:
            each.close()

    def test_head_and_names_in_capitals(self):
        upper = Api(port=self.daemon.api_port, token=OPERATOR)
        self.assertEqual(upper.server(FE01.upper())["server"], FE01)


if __name__ == "__main__":
    main()
