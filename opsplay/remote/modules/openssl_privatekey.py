"""Make a private key by openssl, and keep it as asked."""

import base64
import hashlib
import re

from opsplay.remote.openssl_files import kept, removed, require_folder, run_openssl
from opsplay.remote.spec import Choice, Dictionary, Flag, Integer, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The file."), "state": Choice("absent", "present", default="present"),
        "type": Choice("DSA", "ECC", "Ed25519", "Ed448", "RSA", "X25519", "X448", default="RSA"),
        "size": Integer(default=4096, text="Bits, for RSA and DSA."), "curve": Text(text="For ECC, as secp256r1."),
        "passphrase": Text(secret=True), "cipher": Text(default="auto"), "force": Flag(default=False, text="Make it anew."),
        "format": Choice("pkcs1", "pkcs8", "raw", "auto", "auto_ignore", default="auto_ignore"), "format_mismatch": Choice("regenerate", "convert", default="regenerate"),
        "regenerate": Choice("never", "fail", "partial_idempotence", "full_idempotence", "always", default="full_idempotence"),
        "backup": Flag(default=False), "return_content": Flag(default=False), "select_crypto_backend": Choice("auto", "cryptography", default="auto"),
    },
    returns={"filename": Text(), "type": Text(), "size": Integer(), "curve": Text(), "fingerprint": Dictionary(), "privatekey": Text(), "backup_file": Text()},
    examples=("openssl_privatekey: {path: /etc/ssl/private/app.pem, size: 2048}",),
    file_arguments=True, required_if=(("type", "ECC", ("curve",)),),
)
CURVES = {"secp256r1": "prime256v1", "secp192r1": "prime192v1"}
BITS = re.compile(r"\((\d+) bit")


def act(system, args):
    result = {"changed": False, "filename": args.path, "type": args.type}
    if args.type in ("RSA", "DSA"):
        result["size"] = args.size
    if args.type == "ECC":
        result["curve"] = args.curve
    if args.state == "absent":
        return removed(system, args, result)
    require_folder(args.path)
    why = _why(system, args)
    if args.mode is None and (why or system.stat(args.path) is None):
        args = type(args)(args, mode="0600")
    text = _make(system, args) if why and not system.check else ""
    result = kept(system, args, result, text, why)
    if args.return_content and system.stat(args.path) is not None:
        result["privatekey"] = system.read_text(args.path)
    return _with_fingerprint(system, args, result)


def _why(system, args):
    """Why a new key is to be made; nothing where the one that is there will do."""
    if system.stat(args.path) is None:
        return "a new key"
    if args.force or args.regenerate == "always":
        return "a new key, as asked"
    run = system.run(["openssl", "pkey", "-in", args.path, "-noout", "-text", "-passin", "env:PASS"], environment={"PASS": args.passphrase or ""})
    wrong = "a key that can be read" if run.rc != 0 else _mismatch(args, run.stdout)
    if not wrong or args.regenerate == "never":
        return ""
    if args.regenerate == "fail" or (run.rc != 0 and args.regenerate == "partial_idempotence"):
        raise ModuleFailure("Key has wrong type and/or size, or cannot be read. Will not proceed. To force regeneration, call the module with `regenerate` "
                            "set to `partial_idempotence`, `full_idempotence` or `always`, or with `force=true`.")
    return wrong


def _mismatch(args, text):
    first = text.split("\n", 1)[0]
    if args.type in ("RSA", "DSA"):
        found = BITS.search(first)
        is_kind = "2 primes" in first or "RSA" in first if args.type == "RSA" else "primes" not in first and "\nP:" in text.replace("\nP: ", "\nP:")
        return "" if is_kind and found and int(found.group(1)) == args.size else "a key of %s with %d bits" % (args.type, args.size)
    if args.type == "ECC":
        curve = re.search(r"ASN1 OID: (\S+)", text)
        return "" if curve and curve.group(1) == CURVES.get(args.curve, args.curve) else "a key on the curve %s" % args.curve
    return "" if first.upper().startswith(args.type.upper()) else "a key of type %s" % args.type


def _make(system, args):
    if args.type == "RSA":
        words = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:%d" % args.size]
    elif args.type == "ECC":
        words = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:%s" % CURVES.get(args.curve, args.curve), "-pkeyopt", "ec_param_enc:named_curve"]
    elif args.type == "DSA":
        parameters = run_openssl(system, ["genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:%d" % args.size])
        words = ["-paramfile", "/dev/stdin"]
        return run_openssl(system, ["genpkey"] + words + _cipher(args, "-pass"), input=parameters, environment={"PASS": args.passphrase or ""})
    else:
        words = ["-algorithm", args.type]
    made = run_openssl(system, ["genpkey"] + words + _cipher(args, "-pass"), environment={"PASS": args.passphrase or ""})
    if args.format == "pkcs1" or (args.format in ("auto", "auto_ignore") and args.type in ("RSA", "ECC", "DSA") and not args.passphrase):
        made = run_openssl(system, ["pkey", "-traditional"] + (["-passin", "env:PASS"] + _cipher(args, "-passout") if args.passphrase else []),
                           input=made, environment={"PASS": args.passphrase or ""})
    return made


def _cipher(args, option):
    return ["-" + ("aes256" if args.cipher == "auto" else args.cipher), option, "env:PASS"] if args.passphrase else []


def _with_fingerprint(system, args, result):
    if system.stat(args.path) is None:
        return result
    words = ["openssl", "pkey", "-in", args.path, "-pubout", "-outform", "DER", "-passin", "env:PASS"]
    run = system.run(["/bin/sh", "-c", '"$@" | base64', "sh"] + words, environment={"PASS": args.passphrase or ""})
    if run.rc == 0 and run.stdout.strip():
        data = base64.b64decode(run.stdout)
        result["fingerprint"] = {name: ":".join("%02x" % byte for byte in hashlib.new(name, data).digest()) for name in ("sha1", "sha256", "sha512")}
    return result
