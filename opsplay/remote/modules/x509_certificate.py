"""Make a certificate from a signing request, signed by its own key or by an authority of your own."""

import os
import re

from opsplay.remote.der import certificate_fields, of_pem, request_fields
from opsplay.remote.openssl_files import kept, removed, require_folder, run_openssl
from opsplay.remote.spec import Choice, Flag, Integer, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The file."), "state": Choice("absent", "present", default="present"),
        "provider": Choice("selfsigned", "ownca", "acme", "entrust", text="selfsigned or ownca; the others are not done here."),
        "csr_path": Path(), "csr_content": Text(), "privatekey_path": Path(), "privatekey_content": Text(secret=True), "privatekey_passphrase": Text(secret=True),
        "selfsigned_not_before": Text(default="+0s", aliases=("selfsigned_notBefore",)), "selfsigned_not_after": Text(default="+3650d", aliases=("selfsigned_notAfter",)),
        "selfsigned_digest": Text(default="sha256"), "selfsigned_version": Integer(default=3), "selfsigned_create_subject_key_identifier": Text(default="create_if_not_provided"),
        "ownca_path": Path(), "ownca_content": Text(), "ownca_privatekey_path": Path(), "ownca_privatekey_content": Text(secret=True),
        "ownca_privatekey_passphrase": Text(secret=True), "ownca_digest": Text(default="sha256"), "ownca_version": Integer(default=3),
        "ownca_not_before": Text(default="+0s"), "ownca_not_after": Text(default="+3650d"), "ownca_create_subject_key_identifier": Text(default="create_if_not_provided"),
        "ownca_create_authority_key_identifier": Flag(default=True), "ignore_timestamps": Flag(default=True), "force": Flag(default=False),
        "backup": Flag(default=False), "return_content": Flag(default=False), "select_crypto_backend": Choice("auto", "cryptography", default="auto"),
    },
    returns={"filename": Text(), "privatekey": Text(), "csr": Text(), "certificate": Text(), "backup_file": Text(), "notBefore": Text(), "notAfter": Text()},
    examples=("x509_certificate: {path: /etc/ssl/app.crt, privatekey_path: /etc/ssl/private/app.pem, csr_path: /etc/ssl/app.csr, provider: selfsigned}",),
    file_arguments=True,
)
SPAN = re.compile(r"^\+(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$")


def act(system, args):
    result = {"changed": False, "filename": args.path, "privatekey": args.privatekey_path, "csr": args.csr_path}
    if args.state == "absent":
        return removed(system, args, result)
    if args.provider not in ("selfsigned", "ownca"):
        raise ModuleFailure("provider must be selfsigned or ownca; %s is not done here" % args.provider)
    require_folder(args.path)
    missing = [path for path in (args.csr_path, args.privatekey_path, args.ownca_path, args.ownca_privatekey_path) if path and system.stat(path) is None]
    if missing and system.check:
        return kept(system, args, result, "", "a new certificate")  # earlier tasks would have made them
    if missing:
        raise ModuleFailure("%s does not exist" % missing[0])
    signing = _Signing(system, args)
    why = signing.why()
    result = kept(system, args, result, signing.make() if why and not system.check else "", why)
    if args.return_content and system.stat(args.path) is not None:
        result["certificate"] = system.read_text(args.path)
    if system.stat(args.path) is not None:
        result.update(_dates(system, args))
    return result


def _dates(system, args):
    text = run_openssl(system, ["x509", "-in", args.path, "-noout", "-dates"])
    return {name: line.partition("=")[2] for name, line in zip(("notBefore", "notAfter"), text.splitlines())}


class _Signing(object):
    """A request, the key that signs it, and the certificate that there is."""

    def __init__(self, system, args):
        self.system = system
        self.args = args
        self.folder = system.temporary()
        self.own = args.provider == "ownca"
        self.key = self._file("ownca_privatekey" if self.own else "privatekey", "a private key to sign with")
        self.passphrase = (args.ownca_privatekey_passphrase if self.own else args.privatekey_passphrase) or ""
        self.authority = self._file("ownca", "the authority's certificate") if self.own else None
        self.request = self._request()

    def _file(self, name, what):
        path, content = self.args[name + "_path"], self.args[name + "_content"]
        if path is None and content is None:
            raise ModuleFailure("%s_path or %s_content is needed: %s" % (name, name, what))
        if path is None:
            path = os.path.join(self.folder, name)
            self.system.write(path, content, mode=0o600)
        return path

    def _request(self):
        if self.args.csr_path is not None or self.args.csr_content is not None:
            return self._file("csr", "a signing request")
        if self.own:
            raise ModuleFailure("csr_path or csr_content is needed for ownca")
        path = os.path.join(self.folder, "csr")
        words = ["req", "-new", "-batch", "-subj", "/", "-key", self.key, "-passin", "env:PASS"]
        self.system.write(path, run_openssl(self.system, words, environment={"PASS": self.passphrase}))
        return path

    def why(self):
        """Why a new certificate is to be made; nothing where the one that is there will do."""
        if self.system.stat(self.args.path) is None:
            return "a new certificate"
        found = certificate_fields(of_pem(self.system.read_text(self.args.path)))
        wanted = request_fields(of_pem(self.system.read_text(self.request)))
        issuer = certificate_fields(of_pem(self.system.read_text(self.authority)))["subject"] if self.own else wanted["subject"]
        fits = bool(found) and (found["subject"], found["key"], found["issuer"]) == (wanted["subject"], wanted["key"], issuer)
        fits = fits and all(found["extensions"].get(name) == value for name, value in wanted["extensions"].items())
        return "" if fits and not self.args.force else "a certificate for the request, signed as asked"

    def make(self):
        args = self.args
        days = _days(args.ownca_not_after if self.own else args.selfsigned_not_after)
        words = ["x509", "-req", "-in", self.request, "-days", str(days), "-" + (args.ownca_digest if self.own else args.selfsigned_digest),
                 "-copy_extensions", "copyall", "-passin", "env:PASS", "-set_serial", "0x7" + ("" + os.urandom(16).hex()[1:])]
        words += ["-CA", self.authority, "-CAkey", self.key] if self.own else ["-signkey", self.key]
        extra = os.path.join(self.folder, "extensions")
        self.system.write(extra, "subjectKeyIdentifier = hash\n" + ("authorityKeyIdentifier = keyid\n" if self.own and args.ownca_create_authority_key_identifier else ""))
        return run_openssl(self.system, words + ["-extfile", extra], environment={"PASS": self.passphrase})


def _days(text):
    found = SPAN.match(text.strip())
    if not found:
        raise ModuleFailure("a certificate's end is given as +3650d here, not as %s" % text)
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return max(1, -(-(weeks * 604800 + days * 86400 + hours * 3600 + minutes * 60 + seconds) // 86400))
