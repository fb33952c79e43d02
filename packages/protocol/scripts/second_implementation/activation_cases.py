"""Vectors of whole device activations (F1.3 to F1.5), frames A1 to A7."""
import unicodedata

from . import activation, der, p256
from .encoding import cbor, frame
from .fixtures import CORE_ID, DEVICE_ID, DEVICE_SCALAR, device_certificate, octets, root_certificate, scalar, scalar_octets
from .keys import mix
from .records import cbc_record

ANDROID = {0: "android-enterprise", 1: "15", 2: "Example Phone 9", 3: "1.0.0", 4: "SN-000017"}
IPHONE = {0: "ios", 1: "18.4", 2: "iPhone17,1", 3: "1.0.0"}


def canonical(typed):
    return unicodedata.normalize("NFC", typed.strip(" \t").lower())


def one(case_id, comment, kind, typed_user_id, typed_secret, device_info, cost, offers=([1], [1]), configuration=None,
        slot=None, activation_types=None, refusal=None):
    user_id = canonical(typed_user_id)
    secret = typed_secret if kind == 1 else unicodedata.normalize("NFC", typed_secret)
    salt, activation_id = octets(case_id + " salt", 16), octets(case_id + " activation id", 16)
    stretched = activation.stretch(kind, secret, user_id, CORE_ID, salt, cost)
    w0, w1 = activation.witness(stretched)
    x, y = scalar(case_id + " x"), scalar(case_id + " y")
    start = {0: offers[0], 1: offers[1], 2: user_id, 3: octets(case_id + " random i", 32), 4: device_info, 5: kind}
    if slot is not None:
        start[6] = slot
    a1 = frame(0x10, start)
    a2 = frame(0x11, {0: 1, 1: 1, 2: activation_id, 3: CORE_ID, 4: salt, 5: list(cost), 6: octets(case_id + " random r", 32)})
    h0 = activation.transcript_start()
    h1 = mix(h0, a1)
    h2 = mix(h1, a2)
    run = activation.spake2(activation.context(h2), user_id.encode(), CORE_ID.encode(), w0, w1, x, y)
    a3 = frame(0x12, {0: activation_id, 1: run["shareP"]})
    a4 = frame(0x13, {0: run["shareV"], 1: run["confirmV"]})
    keys = activation.run_keys(h2, a3, a4, run["K_shared"])
    challenge = activation.base64url(keys["possession"])
    request = {0: der.request("ignored by the server", DEVICE_SCALAR, challenge)}
    if activation_types is not None:
        request[2] = activation_types
    iv_i, iv_r = octets(case_id + " iv i", 16), octets(case_id + " iv r", 16)
    record_i = cbc_record(keys["initiatorTraffic"], 0, 0, iv_i, cbor(request))
    a5 = frame(0x14, {0: activation_id, 1: run["confirmP"], 2: record_i})
    details = {
        0: [device_certificate()],
        1: [root_certificate()],
        2: [octets("spki pin", 32)],
        3: DEVICE_ID,
        4: octets("tunnel key", 32),
        5: configuration or {0: "work-only", 1: True, 2: False, 3: 3600, 4: 300, 5: "devices.example.com:8443"},
    }
    # The other plaintext of A6: the secret was right, and there is no device all the same.
    outcome = details if refusal is None else {6: refusal[0], 7: refusal[1]}
    record_r = cbc_record(keys["responderTraffic"], 1, 0, iv_r, cbor(outcome))
    a6 = frame(0x15, {0: record_r})
    frames = {"A1": a1, "A2": a2, "A3": a3, "A4": a4, "A5": a5, "A6": a6}
    if refusal is None:
        frames["A7"] = frame(0x16, {0: DEVICE_ID, 1: 0})
        frames["A7 declined"] = frame(0x16, {0: DEVICE_ID, 1: 2})
    return {
        "id": case_id,
        "comment": comment,
        "inputs": {
            "kind": ["password", "qr"][kind],
            "userIdTyped": typed_user_id,
            "coreId": CORE_ID,
            "secret": typed_secret,
            "salt": salt,
            "cost": list(cost),
            "x": scalar_octets(x),
            "y": scalar_octets(y),
            "deviceScalar": scalar_octets(DEVICE_SCALAR),
            "ivs": [iv_i, iv_r],
            "fakeKey": octets("fake key", 32),
        },
        "values": {
            "userId": user_id,
            "stretched": stretched,
            "w0": scalar_octets(w0),
            "w1": scalar_octets(w1),
            "h0": h0,
            "h1": h1,
            "h2": h2,
            **run,
            **keys,
            "challenge": challenge,
            "requestContent": cbor(request),
            "outcomeContent": cbor(outcome),
            "fakeSalt": activation.fake_salt(octets("fake key", 32), user_id, kind),
        },
        "frames": frames,
    }


def qr_code(user_id, secret, expiry):
    content = cbor({0: 1, 1: "uem.example.com:443", 2: user_id, 3: secret, 4: octets("listener pin", 32), 5: CORE_ID, 6: expiry})
    return activation.base64url(content)


def cases():
    configuration = {
        0: "work-and-personal-full-control", 1: True, 2: True, 3: 900, 4: 60, 5: "devices.example.com:8443", 6: "push.example.com:443",
        7: {"passwordMinimumLength": 8, "allowCamera": False, "wifi": [{"ssid": "work", "hidden": True}]}, 8: "This device belongs to Example Ltd.",
    }
    qr_secret = octets("qr secret", 16)
    scanned = one("activation-qr", "Secret of a QR code: 128 random bits, HKDF in place of scrypt.", 1, "bob@example.com", qr_secret, IPHONE, (32768, 8, 1))
    scanned["qrCode"] = qr_code("bob@example.com", qr_secret, 1_800_000_000)
    return [
        one("activation-password", "Password; the user id is typed with blanks and capitals.", 0, " Alice@Example.COM\t", "k7m2q9x4zt", ANDROID,
            (16384, 8, 1), configuration=configuration),
        one("activation-unicode", "Password and user id with decomposed letters; more versions and suites offered.", 0, "E\u0301MILE@EXA\u0308MPLE.ORG",
            "Cafe\u0301 Stra\u00dfe", IPHONE, (32768, 8, 2), offers=([1, 2], [1, 2, 3])),
        scanned,
        one("activation-refused", "A paired password; the device says what it can take, proves itself, and is refused.", 0, "dora@example.com", "p4ssw0rd77", ANDROID,
            (16384, 8, 1), slot=2, activation_types=["work-and-personal-full-control", "work-space-only"], refusal=(3, "version 16 or later is needed")),
    ]
