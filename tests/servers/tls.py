"""Real certificates made with openssl."""

from pathlib import Path

from .process import run


def _openssl(*arguments):
    result = run(["openssl", *arguments], deadline=60)
    if result.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {result.stderr}")


class Certificate:
    """`file` (PEM, certificate alone) and `key_file` (PEM, PKCS#8)."""

    def __init__(self, file, key_file):
        self.file, self.key_file = Path(file), Path(key_file)


class Authority:
    """A certificate authority of the test's own; `file` is what its clients trust."""

    def __init__(self, folder, name="slosonde test authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file, self.key_file = self.folder / "ca.pem", self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-subj", f"/CN={name}", "-keyout", self.key_file, "-out", self.file,
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._database()

    def server(self, name="server", san="DNS:localhost,IP:127.0.0.1", dates=None):
        """A server certificate. dates: ("20200101000000Z", "20200201000000Z") for one that is not valid now."""
        return self._issue(name, f"subjectAltName={san}\nextendedKeyUsage=serverAuth\n", dates)

    def expired(self):
        """A server certificate that ended years ago."""
        return self.server("expired", dates=("20200101000000Z", "20200201000000Z"))

    def wrong_name(self):
        """A valid server certificate, but for another host."""
        return self.server("wrong-name", san="DNS:elsewhere.example")

    def client(self, name="client"):
        return self._issue(name, "extendedKeyUsage=clientAuth\n", None)

    def _issue(self, name, extensions, dates):
        made = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, settings = self.folder / f"{name}.csr", self.folder / f"{name}.cnf"
        settings.write_text(f"basicConstraints=CA:FALSE\n{extensions}", encoding="ascii")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", made.key_file, "-out", request)
        start, end = dates or (None, None)
        validity = ["-startdate", start, "-enddate", end] if dates else ["-days", "30"]
        _openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-in", request, "-out", made.file,
                 "-extfile", settings, *validity)
        return made

    def _database(self):
        (self.folder / "index.txt").touch()
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={self.folder}/index.txt\nnew_certs_dir={self.folder}\nrand_serial=yes\n"
            f"certificate={self.file}\nprivate_key={self.key_file}\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n", encoding="ascii")
