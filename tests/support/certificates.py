"""Certificates of a test's own, made by openssl as they are needed."""

import datetime
import pathlib
import ssl
import subprocess

CONFIGURATION = """\
[ca]
default_ca = this
[this]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
"""


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def make_key(file, key="ec"):
    """`key`: ec, or the bits of an RSA key."""
    kind = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    if key != "ec":
        kind = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{key}"]
    run("openssl", "genpkey", "-quiet", "-algorithm", *kind, "-out", file)
    file.chmod(0o600)


def moment(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """Signs; its own certificate is `file`."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.file, self.key = self.folder / "ca.crt", self.folder / "ca.key"
        (self.folder / "index.txt").write_text("")
        self.configuration = self.folder / "ca.cnf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        make_key(self.key)
        run(
            *("openssl", "req", "-x509", "-key", self.key, "-subj", f"/CN={name}", "-days", 30),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.file),
        )

    def certify(self, name, names="", begin=-1, end=30, key="ec", to=None):
        """(certificate, key): files; `names` as openssl writes subject alternative names, the times
        in days from now; `to`: where, in place of the authority's folder."""
        base = pathlib.Path(to or self.folder) / name
        key_file, certificate = base.with_suffix(".key"), base.with_suffix(".crt")
        request, extensions = base.with_suffix(".csr"), base.with_suffix(".ext")
        make_key(key_file, key)
        run("openssl", "req", "-new", "-key", key_file, "-subj", f"/CN={name}", "-out", request)
        lines = ["basicConstraints=critical,CA:FALSE"]
        lines += [f"subjectAltName={names}"] if names else []
        extensions.write_text("\n".join(lines) + "\n")
        run(
            *("openssl", "ca", "-batch", "-notext", "-config", self.configuration),
            *("-cert", self.file, "-keyfile", self.key, "-in", request, "-extfile", extensions),
            *("-startdate", moment(begin), "-enddate", moment(end), "-out", certificate),
        )
        return certificate, key_file

    def server(self, to, name="api", **more):
        """For a daemon on loopback; `to`: the folder of its api.crt and api.key."""
        return self.certify(name, "DNS:localhost,IP:127.0.0.1", to=to, **more)

    def trusted(self, *certified):
        """A client's context that trusts this authority; `certified`: what it shows."""
        context = ssl.create_default_context(cafile=str(self.file))
        if certified:
            context.load_cert_chain(*map(str, certified))
        return context
