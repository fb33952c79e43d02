"""Vectors of push channels: docs/protocol/13-services-of-the-proxy.md, 13.3."""
import base64

from . import aes
from .encoding import frame, lp
from .fixtures import octets
from .keys import derive, label

TIME_MS = 1_800_000_000_000
CHANNEL_ID, KEY = octets("push channel", 16), octets("push channel key", 32)


def sealed(content, iv, frame_type=0xAF, channel_id=CHANNEL_ID):
    plaintext = frame(frame_type, {0: content["messageId"], 1: content["sentAtEpochMs"], 2: content["body"]})
    ciphertext, tag = aes.cbc_hs512(derive(KEY, "push", b"", 64), iv, label("push message") + lp(channel_id), aes.pad(plaintext))
    return iv + ciphertext + tag


def one(case_id, body):
    content = {"messageId": octets(f"{case_id} id", 16), "sentAtEpochMs": TIME_MS + 5, "body": body}
    iv = octets(f"{case_id} iv", 16)
    return {"id": case_id, "channelId": CHANNEL_ID, "key": KEY, "token": base64.urlsafe_b64encode(CHANNEL_ID + KEY).decode().rstrip("="),
            "iv": iv, "content": content, "sealed": sealed(content, iv)}


def cases():
    return [one("push-1", "zwölf neue Mails".encode()), one("push-2", b""), one("push-3", b"a" * 4_096)]


def refused():
    content, iv = {"messageId": octets("id", 16), "sentAtEpochMs": TIME_MS, "body": b"x"}, octets("iv", 16)
    return [
        {"id": "of another channel", "sealed": sealed(content, iv, channel_id=octets("other", 16))},
        {"id": "another frame inside", "sealed": sealed(content, iv, frame_type=0xAB)},
        {"id": "a body that is too long", "sealed": sealed({**content, "body": b"x" * 4_097}, iv)},
    ]
