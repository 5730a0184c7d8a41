"""Ubuntu's personal archives (ppa:owner/name): their source line and signing key, as Launchpad publishes them."""

import json
import os
import urllib.request

from opsplay.remote.spec import ModuleFailure

API = "https://api.launchpad.net/1.0"
KEYRINGS = "/etc/apt/keyrings"


def source_of(text, codename):
    """(owner, name, source line) of `ppa:owner/name`."""
    owner, _, name = text[len("ppa:"):].partition("/")
    name = name or "ppa"
    return owner, name, "deb https://ppa.launchpadcontent.net/%s/%s/ubuntu %s main" % (owner, name, codename)


def fetch_key(owner, name):
    """The archive's public key, armoured."""
    try:
        with urllib.request.urlopen("%s/~%s/+archive/%s" % (API, owner, name), timeout=30) as answer:
            fingerprint = json.loads(answer.read(1 << 20).decode())["signing_key_fingerprint"]
        with urllib.request.urlopen("https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x%s"
                                    % fingerprint, timeout=30) as answer:
            return fingerprint, answer.read(1 << 20)
    except (OSError, ValueError, KeyError) as error:
        raise ModuleFailure("failed to fetch PPA information of ppa:%s/%s, error was: %s" % (owner, name, error))


def key_path(owner, name):
    return os.path.join("/etc/apt/trusted.gpg.d", "%s_ubuntu_%s.asc" % (owner, name))
