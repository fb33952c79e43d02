"""Vectors of records: whole streams, the largest ones by their hash, and records that must be refused although their MAC is right."""
from . import aes
from .fixtures import octets
from .keys import sha256
from .records import GcmDirection, cbc_key, cbc_record

SIZES = (0, 1, 15, 16, 17, 31, 32, 300)
CBC_MAX, GCM_MAX = 65_551, 33_024


def cbc_streams():
    streams = []
    for direction in (0, 1):
        traffic, records = octets(f"cbc traffic {direction}", 32), []
        for sequence, size in enumerate(SIZES):
            plaintext, iv = octets(f"cbc {direction} {size}", size), octets(f"cbc iv {direction} {sequence}", 16)
            records.append({"iv": iv, "plaintext": plaintext, "record": cbc_record(traffic, direction, sequence, iv, plaintext)})
        streams.append({"id": f"cbc-{direction}", "direction": direction, "traffic": traffic, "key": cbc_key(traffic), "first": 0, "records": records})
    traffic, iv, last = octets("cbc traffic 0", 32), octets("cbc iv last", 16), 2**20 - 1
    record = cbc_record(traffic, 0, last, iv, b"the last one")
    streams.append({"id": "cbc-last", "direction": 0, "traffic": traffic, "key": cbc_key(traffic), "first": last,
                    "records": [{"iv": iv, "plaintext": b"the last one", "record": record}]})
    return streams


def cbc_refused():
    """Each is one record that is wrong in one way only; the tag fits in all but the last two."""
    traffic, iv, text = octets("cbc traffic 0", 32), octets("cbc iv refused", 16), b"sixteen bytes ok"
    whole = cbc_record(traffic, 0, 0, iv, text)
    cases = [
        ("padding-zero", cbc_record(traffic, 0, 0, iv, b"", text[:15] + b"\x00")),
        ("padding-17", cbc_record(traffic, 0, 0, iv, b"", text[:15] + b"\x11")),
        ("padding-unequal", cbc_record(traffic, 0, 0, iv, b"", text[:13] + b"\x02\x03\x03")),
        ("direction", cbc_record(traffic, 1, 0, iv, text)),
        ("direction-unknown", cbc_record(traffic, 2, 0, iv, text)),
        ("sequence-ahead", cbc_record(traffic, 0, 1, iv, text)),
        ("sequence-high-half", cbc_record(traffic, 0, 2**32, iv, text)),
        ("ciphertext-empty", cbc_record(traffic, 0, 0, iv, b"", b"")),
        ("type", b"\x18" + whole[1:]),
        ("length-field", whole[:10] + (48).to_bytes(4, "big") + whole[14:]),
    ]
    return [{"id": "cbc-refused-" + name, "direction": 0, "traffic": traffic, "record": record} for name, record in cases]


def gcm_streams():
    traffic, records = octets("gcm traffic", 32), []
    stream = GcmDirection(traffic)

    def note(what, plaintext, record):
        records.append({"what": what, "plaintext": plaintext, "record": record})

    keys = [{"traffic": stream.traffic, "key": stream.key, "iv": stream.iv}]
    for size in SIZES:
        plaintext = octets(f"gcm {size}", size)
        note("data", plaintext, stream.seal(0x17, plaintext))
    for _ in range(2):
        note("keyUpdate", b"", stream.update())
        keys.append({"traffic": stream.traffic, "key": stream.key, "iv": stream.iv})
        note("data", b"under the next key", stream.seal(0x17, b"under the next key"))
    note("close", b"\x05", stream.seal(0x15, b"\x05"))
    return [{"id": "gcm-1", "traffic": traffic, "keys": keys, "records": records}]


def gcm_refused():
    """Sealed under the right key and number, and still not allowed; the last three are sealed for another number or header."""
    traffic = octets("gcm traffic", 32)

    def first(record_type, plaintext):
        return GcmDirection(traffic).seal(record_type, plaintext)

    ahead = GcmDirection(traffic)
    ahead.seal(0x17, b"never sent")
    cases = [
        ("type-unknown", first(0x16, b"text")),
        ("alert-empty", first(0x15, b"")),
        ("alert-two-bytes", first(0x15, b"\x00\x00")),
        ("key-update-with-text", first(0x18, b"\x00")),
        ("sequence-ahead", ahead.seal(0x17, b"second")),
        ("type-changed", b"\x15" + first(0x17, b"\x00")[1:]),
        ("length-field", first(0x17, b"text")[:1] + b"\x00\x15" + first(0x17, b"text")[3:]),
    ]
    return [{"id": "gcm-refused-" + name, "traffic": traffic, "record": record} for name, record in cases]


def largest():
    """Too long to print: the plaintext is one byte repeated, the record is given by its hash."""
    iv, cbc_traffic, gcm_traffic = octets("cbc iv largest", 16), octets("cbc traffic 0", 32), octets("gcm traffic", 32)
    cbc = cbc_record(cbc_traffic, 0, 0, iv, b"\xa5" * CBC_MAX)
    gcm = GcmDirection(gcm_traffic).seal(0x17, b"\xa5" * GCM_MAX)
    return [
        {"id": "cbc-largest", "kind": "cbc", "traffic": cbc_traffic, "iv": iv, "byte": 0xA5, "count": CBC_MAX, "length": len(cbc), "sha256": sha256(cbc)},
        {"id": "gcm-largest", "kind": "gcm", "traffic": gcm_traffic, "byte": 0xA5, "count": GCM_MAX, "length": len(gcm), "sha256": sha256(gcm)},
    ]


def self_test():
    """The block cipher against FIPS 197, C.3."""
    key, text = bytes(range(32)), bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes.Aes256(key).encrypt(text).hex() == "8ea2b7ca516745bfeafc49904b496089"
