"""What `sluicectl pki` makes, judged by OpenSSL's own programs and by sluiced's configuration."""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.pki import Pki

BUILD = pathlib.Path()
NS1 = "ns1.pool01.contoso.example"
FE = [f"fe{n:02}.pool01.contoso.example" for n in range(1, 4)]


class PkiTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_pki(self, exit_code, *words):
        done = processes.run(
            [BUILD / "sluicectl", "pki", *words], cwd=self.folder, env={"PATH": os.environ["PATH"]}
        )
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done

    def openssl(self, *words):
        done = processes.run(["openssl", *words])
        return done.returncode, done.stdout + done.stderr

    def made(self):
        pki = Pki(BUILD, self.folder)
        pki.make("server", NS1, "192.0.2.53", "2001:db8::53")
        pki.make("agent", *FE)
        pki.make("operator", "anna", "bert@contoso.example")
        pki.make("reader", "prometheus")
        return pki

    def test_openssl_takes_each_for_its_purpose_and_for_no_other(self):
        pki = self.made()
        strict = ("verify", "-x509_strict", "-check_ss_sig", "-CAfile", pki.ca)
        for kind, name in [
            ("server", NS1), *[("agent", name) for name in FE], ("operator", "anna"),
            ("operator", "bert@contoso.example"), ("reader", "prometheus"),
        ]:  # fmt: skip
            certificate, key = pki.pair(kind, name)
            right, wrong = ("sslserver", "sslclient")
            if kind != "server":
                right, wrong = wrong, right
            status, said = self.openssl(*strict, "-purpose", right, certificate)
            self.assertEqual(status, 0, f"{name}: {said}")
            status, said = self.openssl(*strict, "-purpose", wrong, certificate)
            self.assertNotEqual(status, 0, f"{name} for {wrong}: {said}")
            self.assertEqual(key.stat().st_mode & 0o777, 0o600)
            self.assertEqual(self.openssl("pkey", "-in", key, "-check", "-noout")[0], 0)
        status, said = self.openssl(*strict, "-verify_ip", "2001:db8::53", pki.pair("server", NS1)[0])
        self.assertEqual(status, 0, said)
        other = Pki(BUILD, self.folder, "other")
        status, _ = self.openssl("verify", "-CAfile", other.ca, pki.pair("server", NS1)[0])
        self.assertNotEqual(status, 0)

    def test_certificates_say_what_rfc_5280_wants_of_them(self):
        pki = self.made()

        def text(certificate):
            return self.openssl("x509", "-in", certificate, "-noout", "-text")[1]

        def after(name, said):
            """The line below the heading of an extension."""
            return re.search(rf"{name}:([^\n]*)\n\s*([^\n]*)", said).groups()

        ca = text(pki.ca)
        self.assertEqual(
            after("X509v3 Basic Constraints", ca), (" critical", "CA:TRUE, pathlen:0")
        )
        self.assertEqual(
            after("X509v3 Key Usage", ca), (" critical", "Certificate Sign, CRL Sign")
        )
        server = text(pki.pair("server", NS1)[0])
        self.assertEqual(after("X509v3 Basic Constraints", server), (" critical", "CA:FALSE"))
        self.assertEqual(after("X509v3 Key Usage", server), (" critical", "Digital Signature"))
        self.assertIn("TLS Web Server", after("X509v3 Extended Key Usage", server)[1])
        self.assertNotIn("Client", after("X509v3 Extended Key Usage", server)[1])
        self.assertEqual(
            after("X509v3 Subject Alternative Name", server)[1],
            f"DNS:{NS1}, IP Address:192.0.2.53, IP Address:2001:DB8:0:0:0:0:0:53",
        )
        self.assertEqual(
            after("X509v3 Subject Key Identifier", ca)[1],
            after("X509v3 Authority Key Identifier", server)[1],
        )
        agent = text(pki.pair("agent", FE[0])[0])
        self.assertIn("TLS Web Client", after("X509v3 Extended Key Usage", agent)[1])
        bert = text(pki.pair("operator", "bert@contoso.example")[0])
        self.assertEqual(
            after("X509v3 Subject Alternative Name", bert)[1], "email:bert@contoso.example"
        )
        for said in (ca, server, agent, bert):
            self.assertIn("prime256v1", said)
            self.assertIn("ecdsa-with-SHA256", said)
            self.assertIn("Version: 3", said)
        serials = {
            json.dumps(each["serial"]) for each in pki.make("show")
        }
        self.assertEqual(len(serials), 8, "a serial number came twice")

    def test_the_lines_are_for_the_configuration_and_all_else_is_on_stderr(self):
        self.run_pki(0, "ca")
        server = self.run_pki(0, "server", NS1, "192.0.2.53")
        folder = self.folder.resolve() / "pki"
        self.assertEqual(
            server.stdout,
            f"tls: {{certificate: {folder}/server/{NS1}.pem, key: {folder}/server/{NS1}.key, "
            f"client_ca: {folder}/ca.pem}}\n",
        )
        agents = self.run_pki(0, "agent", *FE)
        self.assertEqual(
            agents.stdout.splitlines(),
            [f"- {{name: fe{n:02}, role: agent, server: {FE[n - 1]}, certificate: {FE[n - 1]}}}"
             for n in range(1, 4)],
        )  # fmt: skip
        again = self.run_pki(0, "agent", *FE)
        self.assertEqual(again.stdout, agents.stdout)
        self.assertIn("exists and stays", again.stderr)
        anna = self.run_pki(0, "operator", "anna")
        self.assertEqual(anna.stdout, "- {name: anna, role: operator, certificate: anna}\n")

    def test_show_says_who_has_one_and_until_when(self):
        self.run_pki(0, "ca", "--name", "Contoso")
        self.run_pki(0, "agent", *FE, "--days", "7")
        shown = self.run_pki(0, "show").stdout
        self.assertIn("Contoso", shown)
        for name in FE:
            self.assertRegex(shown, rf"agent +{name} .*\d{{4}}-\d\d-\d\d +good")

    def test_hundreds_are_made_at_once(self):
        self.run_pki(0, "ca")
        names = [f"fe{n:03}.pool01.contoso.example" for n in range(300)]
        made = self.run_pki(0, "agent", *names)
        self.assertEqual(len(made.stdout.splitlines()), 300)
        self.assertEqual(len(list((self.folder / "pki/agent").glob("*.key"))), 300)

    def test_mistakes_are_told_and_nothing_is_made(self):
        nothing = self.run_pki(1, "agent", FE[0])
        self.assertIn("sluicectl pki ca makes one", nothing.stderr)
        self.run_pki(0, "ca")
        self.run_pki(2, "agent", FE[0], "fe01")
        self.run_pki(2, "server", "ns1/../../x")
        self.assertFalse((self.folder / "pki/agent").exists())
        self.assertIn("ca or server or agent", self.run_pki(2).stderr)
        self.assertIn('did you mean "server"?', self.run_pki(2, "sever", NS1).stderr)
        self.assertIn("--days", self.run_pki(2, "ca", "--days", "0").stderr)
        (self.folder / "pki/ca.key").unlink()
        self.assertIn("ca.key is not there", self.run_pki(1, "agent", FE[0]).stderr)

    def test_a_full_disk_leaves_no_half_of_a_file(self):
        self.run_pki(0, "ca")
        # No file may have an octet: what a full disk does to whoever writes.
        full = processes.run(
            ["bash", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "-", BUILD / "sluicectl", "pki",
             "agent", FE[0]], cwd=self.folder,
        )  # fmt: skip
        self.assertEqual(full.returncode, 1, full.stderr)
        self.assertIn(f"{FE[0]}.key cannot be written", full.stderr)
        self.assertEqual(list((self.folder / "pki/agent").iterdir()), [])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD [-v] [Class.test]")
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
