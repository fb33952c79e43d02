"""Deterministic CBOR (RFC 8949, 4.2.1), frames, and length prefixes: docs/protocol/01-framing.md."""


def lp(data):
    return len(data).to_bytes(4, "big") + data


def _head(major, argument):
    for info, size, limit in ((argument, 0, 24), (24, 1, 2**8), (25, 2, 2**16), (26, 4, 2**32), (27, 8, 2**64)):
        if argument < limit:
            return bytes([major << 5 | info]) + (argument.to_bytes(size, "big") if size else b"")
    raise ValueError("number too large")


def cbor(value):
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode("utf-8")
        return _head(3, len(data)) + data
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(cbor(item) for item in value)
    if isinstance(value, dict):
        entries = sorted((cbor(key), cbor(item)) for key, item in value.items())
        return _head(5, len(value)) + b"".join(key + item for key, item in entries)
    raise TypeError(type(value))


def frame(frame_type, body):
    """Header and body ("core"); trailers are appended by the caller and not counted."""
    data = body if isinstance(body, bytes) else cbor(body)
    return bytes([1, frame_type]) + b"\x00\x00" + len(data).to_bytes(4, "big") + data
