"""Certificates of a test's own, made by `sluicectl pki` as an operator makes them."""

import json
import pathlib
import shutil
import ssl

from support import processes


class Pki:
    """A folder with an authority in it."""

    def __init__(self, build, folder, name="pki"):
        self.build, self.folder = pathlib.Path(build), pathlib.Path(folder) / name
        self.make("ca")

    def type(self, *words):
        """`sluicectl pki WORDS`, as it is."""
        return processes.run(
            [self.build / "sluicectl", "pki", *words, "--directory", self.folder]
        )

    def make(self, *words):
        """Its document's certificates."""
        done = self.type(*words, "--json")
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)["certificates"]

    @property
    def ca(self):
        return self.folder / "ca.pem"

    def pair(self, kind, name):
        """The files of a certificate and its key."""
        return self.folder / kind / f"{name}.pem", self.folder / kind / f"{name}.key"

    def put(self, kind, name, certificate, key):
        """Copies a pair to where it is used, as an operator does it: the certificate first."""
        for source, target in zip(self.pair(kind, name), (certificate, key)):
            fresh = pathlib.Path(f"{target}.new")
            shutil.copyfile(source, fresh)
            fresh.chmod(0o600)
            fresh.rename(target)

    def client_context(self, *holder):
        """Trusts this authority; `holder`: (kind, name) of the certificate that it shows."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if holder:
            context.load_cert_chain(*self.pair(*holder))
        return context

    def server_context(self, name, client_ca=None, required=True):
        """Of Python's ssl, for who plays the authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair("server", name))
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        return context
