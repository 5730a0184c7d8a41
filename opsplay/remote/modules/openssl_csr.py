"""Make a certificate signing request by openssl, and keep it as asked."""

import os

from opsplay.remote.der import of_pem, request_fields
from opsplay.remote.openssl_files import kept, removed, require_folder, run_openssl
from opsplay.remote.spec import Choice, Dictionary, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The file."), "state": Choice("absent", "present", default="present"),
        "privatekey_path": Path(), "privatekey_content": Text(secret=True), "privatekey_passphrase": Text(secret=True),
        "subject": Dictionary(text="Parts of the subject by their names (CN, O, ...)."), "subject_ordered": Listing(elements=Dictionary()),
        "common_name": Text(aliases=("CN", "commonName")), "country_name": Text(aliases=("C", "countryName")),
        "state_or_province_name": Text(aliases=("ST", "stateOrProvinceName")), "locality_name": Text(aliases=("L", "localityName")),
        "organization_name": Text(aliases=("O", "organizationName")), "organizational_unit_name": Text(aliases=("OU", "organizationalUnitName")),
        "email_address": Text(aliases=("E", "emailAddress")),
        "subject_alt_name": Listing(aliases=("subjectAltName",), text="As DNS:example.org, IP:192.0.2.1."), "subject_alt_name_critical": Flag(default=False, aliases=("subjectAltName_critical",)),
        "use_common_name_for_san": Flag(default=True, aliases=("useCommonNameForSAN",)),
        "key_usage": Listing(aliases=("keyUsage",)), "key_usage_critical": Flag(default=False, aliases=("keyUsage_critical",)),
        "extended_key_usage": Listing(aliases=("extKeyUsage", "extendedKeyUsage")), "extended_key_usage_critical": Flag(default=False, aliases=("extKeyUsage_critical", "extendedKeyUsage_critical")),
        "basic_constraints": Listing(aliases=("basicConstraints",)), "basic_constraints_critical": Flag(default=False, aliases=("basicConstraints_critical",)),
        "ocsp_must_staple": Flag(default=False, aliases=("ocspMustStaple",)), "ocsp_must_staple_critical": Flag(default=False, aliases=("ocspMustStaple_critical",)),
        "create_subject_key_identifier": Flag(default=False), "digest": Text(default="sha256"), "version": Integer(default=1),
        "force": Flag(default=False), "backup": Flag(default=False), "return_content": Flag(default=False),
        "select_crypto_backend": Choice("auto", "cryptography", default="auto"),
    },
    returns={"filename": Text(), "privatekey": Text(), "subject": Listing(), "subjectAltName": Listing(), "csr": Text(), "backup_file": Text()},
    examples=("openssl_csr: {path: /etc/ssl/app.csr, privatekey_path: /etc/ssl/private/app.pem, common_name: www.example.org}",),
    file_arguments=True, exclusive=(("privatekey_path", "privatekey_content"), ("subject", "subject_ordered")),
)
PARTS = (("common_name", "CN"), ("country_name", "C"), ("state_or_province_name", "ST"), ("locality_name", "L"), ("organization_name", "O"),
         ("organizational_unit_name", "OU"), ("email_address", "emailAddress"))
USAGES = {"Digital Signature": "digitalSignature", "Non Repudiation": "nonRepudiation", "Content Commitment": "nonRepudiation", "Key Encipherment": "keyEncipherment",
          "Data Encipherment": "dataEncipherment", "Key Agreement": "keyAgreement", "Certificate Sign": "keyCertSign", "CRL Sign": "cRLSign",
          "Encipher Only": "encipherOnly", "Decipher Only": "decipherOnly"}
EXTENDED = {"TLS Web Server Authentication": "serverAuth", "TLS Web Client Authentication": "clientAuth", "Code Signing": "codeSigning",
            "E-mail Protection": "emailProtection", "Time Stamping": "timeStamping", "OCSP Signing": "OCSPSigning"}


def act(system, args):
    subject = _subject(args)
    names = args.subject_alt_name or (["DNS:%s" % value for name, value in subject if name == "CN"][:1] if args.use_common_name_for_san else [])
    result = {"changed": False, "filename": args.path, "privatekey": args.privatekey_path, "subject": [list(one) for one in subject], "subjectAltName": names}
    if args.state == "absent":
        return removed(system, args, result)
    require_folder(args.path)
    if args.privatekey_path and system.stat(args.privatekey_path) is None and system.check:
        return kept(system, args, result, "", "a new request")  # an earlier task would have made the key
    made = _make(system, args, subject, names)
    why = _why(system, args, made)
    result = kept(system, args, result, made, why)
    if args.return_content and system.stat(args.path) is not None:
        result["csr"] = system.read_text(args.path)
    return result


def _why(system, args, made):
    if system.stat(args.path) is None:
        return "a new request"
    same = request_fields(of_pem(system.read_text(args.path))) == request_fields(of_pem(made))
    return "" if same and not args.force else "a request with the subject, key and extensions that were asked for"


def _subject(args):
    """[(name, value)] in the order in which openssl is to have them."""
    made = [(short, args[name]) for name, short in PARTS if args[name] is not None]
    for group in args.subject_ordered or ([args.subject] if args.subject else []):
        for name, value in group.items():
            made += [(str(name), str(one)) for one in (value if isinstance(value, list) else [value])]
    return made


def _make(system, args, subject, names):
    folder = system.temporary()
    key = args.privatekey_path
    if key is None:
        if args.privatekey_content is None:
            raise ModuleFailure("One of privatekey_path and privatekey_content is needed")
        key = os.path.join(folder, "key.pem")
        system.write(key, args.privatekey_content, mode=0o600)
    if system.stat(key) is None:
        raise ModuleFailure("The private key %s does not exist" % key)
    settings = os.path.join(folder, "settings")
    system.write(settings, _settings(args, subject, names), mode=0o600)
    words = ["req", "-new", "-batch", "-utf8", "-config", settings, "-key", key, "-" + args.digest, "-passin", "env:PASS"]
    return run_openssl(system, words, environment={"PASS": args.privatekey_passphrase or ""})


def _settings(args, subject, names):
    """openssl's own configuration; what came from the task is one value a line, and can neither begin a section nor a name."""
    lines = ["[req]", "prompt = no", "distinguished_name = subject", "string_mask = utf8only", "req_extensions = wanted", "[subject]"]
    for place, (name, value) in enumerate(subject):
        lines.append("%d.%s = %s" % (place, _clean(name), _clean(value)))
    lines.append("[wanted]")
    if names:
        lines.append("subjectAltName = %s@names" % _critical(args.subject_alt_name_critical))
    for values, known, name, critical in ((args.key_usage, USAGES, "keyUsage", args.key_usage_critical),
                                          (args.extended_key_usage, EXTENDED, "extendedKeyUsage", args.extended_key_usage_critical),
                                          (args.basic_constraints, {}, "basicConstraints", args.basic_constraints_critical)):
        if values:
            lines.append("%s = %s%s" % (name, _critical(critical), ", ".join(_clean(known.get(value, value)) for value in values)))
    if args.ocsp_must_staple:
        lines.append("tlsfeature = %sstatus_request" % _critical(args.ocsp_must_staple_critical))
    if args.create_subject_key_identifier:
        lines.append("subjectKeyIdentifier = hash")
    if len(lines) and lines[-1] == "[wanted]":
        lines.remove("req_extensions = wanted")
    lines.append("[names]")
    for place, name in enumerate(names):
        kind, _, value = name.partition(":")
        lines.append("%s.%d = %s" % ({"IP Address": "IP"}.get(kind, kind), place, _clean(value)))
    return "\n".join(lines) + "\n"


def _critical(flag):
    return "critical, " if flag else ""


def _clean(text):
    text = str(text)
    if "\n" in text or "\r" in text:
        raise ModuleFailure("a part of a request holds a line break: %r" % text)
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("#", "\\#")
