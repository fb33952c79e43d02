"""Records of docs/protocol/05-records.md. Sealing only."""
from . import aes
from .keys import derive


def cbc_key(traffic):
    return derive(traffic, "cbc", b"", 64)


def cbc_record(traffic, direction, sequence, iv, plaintext, padded=None):
    body = aes.pad(plaintext) if padded is None else padded
    header = bytes([0x17, direction]) + sequence.to_bytes(8, "big") + len(body).to_bytes(4, "big")
    ciphertext, tag = aes.cbc_hs512(cbc_key(traffic), iv, header, body)
    return header + iv + ciphertext + tag


class GcmDirection:
    """One direction of GCM records, with its key updates."""

    def __init__(self, traffic):
        self.start(traffic)

    def start(self, traffic):
        self.traffic = traffic
        self.key = derive(traffic, "key")
        self.iv = derive(traffic, "iv", b"", 12)
        self.sequence = 0

    def nonce(self):
        number = bytes(4) + self.sequence.to_bytes(8, "big")
        return bytes(a ^ b for a, b in zip(self.iv, number))

    def seal(self, record_type, plaintext):
        header = bytes([record_type]) + (len(plaintext) + 16).to_bytes(2, "big")
        record = header + aes.gcm_seal(self.key, self.nonce(), header, plaintext)
        self.sequence += 1
        return record

    def update(self):
        record = self.seal(0x18, b"")
        self.start(derive(self.traffic, "upd"))
        return record
