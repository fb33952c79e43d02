"""Just enough DER for a certificate request and for device certificates, in the profile of docs/protocol/02-activation.md, 2.7."""
from . import p256
from .keys import sha256


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        head = bytes([size])
    else:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    numbers = [int(part) for part in text.split(".")]
    out = bytes([40 * numbers[0] + numbers[1]])
    for number in numbers[2:]:
        chunk = [number & 0x7F]
        while number := number >> 7:
            chunk.insert(0, 0x80 | number & 0x7F)
        out += bytes(chunk)
    return tlv(0x06, out)


def utf8(text):
    return tlv(0x0C, text.encode())


ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))


def name(common_name):
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), utf8(common_name))))


def spki(public):
    return sequence(sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(0x03, b"\x00" + p256.encode(public)))


def signed(content, signer):
    raw = p256.sign(signer, content)
    value = sequence(integer(int.from_bytes(raw[:32], "big")), integer(int.from_bytes(raw[32:], "big")))
    return sequence(content, ECDSA_SHA256, tlv(0x03, b"\x00" + value))


def request(common_name, scalar, challenge):
    attribute = sequence(oid("1.2.840.113549.1.9.7"), tlv(0x31, utf8(challenge)))
    content = sequence(integer(0), name(common_name), spki(p256.public_key(scalar)), tlv(0xA0, attribute))
    return signed(content, scalar)


def extension(number, critical, value):
    return sequence(oid(number), *([tlv(0x01, b"\xff")] if critical else []), tlv(0x04, value))


USAGES = {"clientAuth": ["1.3.6.1.5.5.7.3.2"], "serverAuth": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]}


def key_id(public):
    return sha256(p256.encode(public))[:20]


def certificate(serial, issuer, issuer_scalar, subject, public, not_before, not_after, uri=None, usage="clientAuth", path_length=None):
    """A root when `uri` is None, else the certificate of a device or, with usage `serverAuth`, of a role. Times are UTCTime text."""
    authority = key_id(p256.public_key(issuer_scalar))
    extensions = [
        extension("2.5.29.14", False, tlv(0x04, key_id(public))),
        extension("2.5.29.35", False, sequence(tlv(0x80, authority))),
    ]
    if uri is None:
        extensions.append(extension("2.5.29.19", True, sequence(tlv(0x01, b"\xff"), *([] if path_length is None else [integer(path_length)]))))
        extensions.append(extension("2.5.29.15", True, tlv(0x03, b"\x01\x06")))
    else:
        extensions.append(extension("2.5.29.19", True, sequence()))
        extensions.append(extension("2.5.29.15", True, tlv(0x03, b"\x07\x80")))
        extensions.append(extension("2.5.29.37", True, sequence(*[oid(number) for number in USAGES[usage]])))
        extensions.append(extension("2.5.29.17", False, sequence(tlv(0x86, uri.encode()))))
    content = sequence(
        tlv(0xA0, integer(2)),
        integer(serial),
        ECDSA_SHA256,
        name(issuer),
        sequence(tlv(0x17, not_before.encode()), tlv(0x17, not_after.encode())),
        name(subject),
        spki(public),
        tlv(0xA3, sequence(*extensions)),
    )
    return signed(content, issuer_scalar)
