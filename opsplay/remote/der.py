"""DER: the parts of keys, requests and certificates, as bytes to compare."""

import base64


def of_pem(text):
    """The bytes of the first PEM block; empty where there is none."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("-----BEGIN"):
            inside = True
        elif line.startswith("-----END"):
            break
        elif inside and ":" not in line:
            lines.append(line.strip())
    try:
        return base64.b64decode("".join(lines))
    except ValueError:
        return b""


def parts(data):
    """[(tag, whole bytes, inner bytes)] of a sequence's content."""
    found, at = [], 0
    while at + 1 < len(data):
        start, tag, size, at = at, data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at:at + width], "big"), at + width
        found.append((tag, data[start:at + size], data[at:at + size]))
        at += size
    return found


def signed_part(data):
    """What is signed in a request or a certificate: all but the signature and its kind."""
    outer = parts(data)
    inner = parts(outer[0][2]) if outer else []
    return inner[0][2] if inner else b""


def request_fields(data):
    """subject, key and extensions {identifier: value} of a signing request."""
    fields = parts(signed_part(data))
    if len(fields) < 3:
        return {}
    wanted = {}
    for attribute in parts(fields[3][2]) if len(fields) > 3 else ():
        pieces = parts(attribute[2])
        if pieces and pieces[0][2] == b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e":  # extensionRequest
            wanted = extensions(parts(pieces[1][2])[0][2])
    return {"subject": fields[1][1], "key": fields[2][1], "extensions": wanted}


def certificate_fields(data):
    """issuer, subject, key and extensions of a certificate."""
    fields = [field for field in parts(signed_part(data)) if field[0] != 0xA0]
    if len(fields) < 6:
        return {}
    more = next((field for field in fields if field[0] == 0xA3), None)
    return {"issuer": fields[2][1], "subject": fields[4][1], "key": fields[5][1], "extensions": extensions(parts(more[2])[0][2]) if more else {}}


def extensions(data):
    return {pieces[0][2]: b"".join(piece[1] for piece in pieces[1:]) for pieces in (parts(one[2]) for one in parts(data)) if pieces}
