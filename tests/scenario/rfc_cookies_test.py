"""DNS Cookies: RFC 7873 and the interoperable server cookie of RFC 9018."""

import pathlib
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.polling import eventually
from support.rfc import BADCOOKIE, COOKIE, RfcScenario, bare, opt, option, query
from support.scenario import main
from support.sluiced import POOL

CLIENT = b"12345678"
OLD, NEW = "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962"


def with_cookie(cookie):
    return query(POOL, "A", opt(option(COOKIE, cookie)))


class Cookies(RfcScenario):
    def learn(self, path):
        return path.ask(with_cookie(CLIENT)).options[COOKIE]

    def test_rfc_7873_section_5_2_3_who_has_none_gets_one(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(with_cookie(CLIENT))
            self.assertEqual((reply.rcode, len(reply.records.answer)), (dns.NOERROR, 3))
            cookie = reply.options[COOKIE]
            self.assertEqual((cookie[:8], len(cookie)), (CLIENT, 24))
            version, made = struct.unpack(">II", cookie[8:16])
            self.assertEqual(version, 1 << 24)  # RFC 9018 section 4.1 and 4.2
            self.assertLess(abs(made - time.time()), 60)

    def test_rfc_7873_section_5_2_5_a_good_one_is_given_back(self):
        self.serve()
        for path in self.each_path():
            cookie = self.learn(path)
            self.assertEqual(path.ask(with_cookie(cookie)).options, {COOKIE: cookie})

    def test_rfc_7873_section_5_2_4_a_bad_one_gets_a_good_one(self):
        self.serve()
        for path in self.each_path():
            cookie = self.learn(path)
            for bad in (cookie[:-1] + bytes([cookie[-1] ^ 1]), CLIENT + b"x" * 8, CLIENT + b"x" * 32):
                reply = path.ask(with_cookie(bad))
                self.assertEqual((reply.rcode, len(reply.records.answer)), (dns.NOERROR, 3))
                given = reply.options[COOKIE]
                self.assertEqual(path.ask(with_cookie(given)).options[COOKIE], given)

    def test_rfc_7873_section_5_2_2_a_malformed_one_is_formerr(self):
        self.serve()
        for path in self.each_path():
            for size in (0, 1, 7, 9, 15, 41, 100):
                reply = path.ask(with_cookie(b"x" * size))
                self.assertEqual((reply.rcode, reply.options), (dns.FORMERR, {}), size)

    def test_rfc_7873_section_5_2_the_first_of_several_counts(self):
        self.serve()
        for path in self.each_path():
            two = opt(option(COOKIE, CLIENT), option(COOKIE, b"87654321"))
            self.assertEqual(path.ask(query(POOL, "A", two)).options[COOKIE][:8], CLIENT)

    def test_rfc_7873_section_5_4_without_a_question(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(bare(opt(option(COOKIE, CLIENT))))
            self.assertEqual((reply.rcode, reply.counts), (dns.NOERROR, (0, 0, 1)))
            cookie = reply.options[COOKIE]
            self.assertEqual(path.ask(bare(opt(option(COOKIE, cookie)))).rcode, dns.NOERROR)
            bad = path.ask(bare(opt(option(COOKIE, CLIENT + b"x" * 16))))
            self.assertEqual(bad.rcode, BADCOOKIE)
            self.assertEqual(path.ask(bare(opt())).rcode, dns.FORMERR)
            self.assertEqual(path.ask(bare()).rcode, dns.FORMERR)

    def test_rfc_7873_section_5_2_3_badcookie_over_udp_where_they_are_required(self):
        self.serve({"cookies": {"required": True}})
        for path in self.each_path():
            reply = path.ask(with_cookie(CLIENT))
            cookie = reply.options[COOKIE]
            if path.tcp:
                self.assertEqual(reply.rcode, dns.NOERROR)
            else:
                self.assertEqual((reply.rcode, reply.counts), (BADCOOKIE, (0, 0, 1)))
                bad = path.ask(with_cookie(CLIENT + b"x" * 16))
                self.assertEqual(bad.rcode, BADCOOKIE)
            self.assertEqual(path.ask(with_cookie(cookie)).rcode, dns.NOERROR)
            # Section 5.2.1: to who knows no cookies it is as if we knew none.
            self.assertEqual(path.ask(query(POOL, "A", opt())).rcode, dns.NOERROR)
            place = [f"@{path.address}", "-p", path.port, "+tcp" if path.tcp else "+notcp"]
            done = processes.run(["dig", *place, "+cookie", "+badcookie", POOL, "A", "+short"])
            self.assertEqual(len(done.stdout.splitlines()), 3, "dig asks again with what it got")

    def test_off_is_as_if_it_knew_none(self):
        self.serve({"cookies": {"enabled": False}})
        for path in self.each_path():
            reply = path.ask(with_cookie(CLIENT))
            self.assertEqual((reply.rcode, reply.options), (dns.NOERROR, {}))

    def test_rfc_9018_section_3_responders_that_share_a_secret_take_each_others_cookies(self):
        self.serve({"cookies": {"secrets": [OLD]}})
        first = self.paths
        config = self.daemons[0].config
        self.start({**config, "dns": {**config["dns"]}}, folder="second", agents=False)
        second = self.daemons[1]
        learnt = [self.learn(path) for path in first]
        found = second.log()
        for path, cookie in zip(first, learnt):
            port = int(found.split(f"dns listening on {path.address}@")[1].split()[0])
            path.port = port
            self.assertEqual(path.ask(with_cookie(cookie)).options[COOKIE], cookie, str(path))

    def test_rfc_9018_section_5_secrets_rotate_by_reloads(self):
        daemon = self.serve({"cookies": {"secrets": [OLD]}})
        path = self.paths[0]
        cookie = self.learn(path)
        # The cookie is good as long as its secret is in the list, and renewed by the first one.
        for secrets, good in (([OLD, NEW], True), ([NEW, OLD], False), ([NEW], False)):
            daemon.config["dns"]["cookies"] = {"secrets": secrets, "required": True}
            daemon.write_config()
            reloads = daemon.log().count("reloaded by SIGHUP")
            daemon.hang_up()
            eventually(
                lambda n=reloads: daemon.log().count("reloaded by SIGHUP") > n, "it has reloaded"
            )
            reply = path.ask(with_cookie(cookie))
            verifies = bytes.fromhex(OLD) in [bytes.fromhex(each) for each in secrets]
            self.assertEqual(reply.rcode, dns.NOERROR if verifies else BADCOOKIE, secrets)
            self.assertEqual(reply.options[COOKIE] == cookie, good, secrets)

    def test_a_random_secret_outlives_a_reload(self):
        daemon = self.serve()
        path = self.paths[0]
        cookie = self.learn(path)
        daemon.hang_up()
        eventually(lambda: "reloaded by SIGHUP" in daemon.log(), "it has reloaded")
        self.assertEqual(path.ask(with_cookie(cookie)).options[COOKIE], cookie)


if __name__ == "__main__":
    main()
