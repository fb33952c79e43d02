"""Vectors of the seven instances of the handshake core, with whole frames."""
from . import p256
from .encoding import frame
from .fixtures import (ACCESS_KEY, APP_ID, CORE_ID, DEVICE_ID, DEVICE_SCALAR, INSTANCE_ID, PROXY_ID, TENANT_ID, USER_ID,
                       device_certificate, octets, root_certificate, scalar, scalar_octets, scalar_with_zero_in_secret)
from .handshake import Handshake
from .keys import proxy_key, service_key, sha256
from . import der
from .records import GcmDirection, cbc_record

START = {"versions": 0, "suites": 1, "ephemeralKey": 2, "random": 3, "pskId": 4, "userId": 5, "appId": 6, "instanceId": 7, "instance": 8, "later": 64}
REPLY = {"version": 0, "suite": 1, "ephemeralKey": 2, "random": 3, "sessionId": 4, "certificates": 5}
FINISH = {"record": 0, "sessionId": 1}


def body(keys, fields):
    return {keys[name]: value for name, value in fields.items()}


class Run:
    """One case: runs the handshake and collects inputs, values and frames."""

    def __init__(self, case_id, comment, name, prologue, parts, start_fields, psk=None, static=None, signer=None, zero=False):
        e_i = scalar(case_id + " e_i")
        e_r = scalar_with_zero_in_secret(case_id + " e_r", e_i) if zero else scalar(case_id + " e_r")
        self.case_id, self.handshake, self.signer = case_id, Handshake(name, parts, e_i, e_r, psk, static), signer
        start = {
            "versions": [1],
            "suites": [1],
            "ephemeralKey": p256.encode(p256.public_key(e_i)),
            "random": octets(case_id + " random i", 32),
            "instance": name,
            **start_fields,
        }
        self.reply_fields = {
            "version": 1,
            "suite": 1,
            "ephemeralKey": p256.encode(p256.public_key(e_r)),
            "random": octets(case_id + " random r", 32),
            "sessionId": octets(case_id + " session", 16),
        }
        if signer is not None:
            self.reply_fields["certificates"] = [device_certificate(), root_certificate()]
        self.finish_fields = {"sessionId": self.reply_fields["sessionId"]}
        m1 = self.handshake.start(body(START, start))
        self.handshake.agree()
        m2 = self.handshake.reply(body(REPLY, self.reply_fields), signer)
        self.case = {
            "id": case_id,
            "comment": comment,
            "instance": name,
            "inputs": {
                "prologue": prologue,
                "initiatorScalar": scalar_octets(e_i),
                "responderScalar": scalar_octets(e_r),
                **({} if psk is None else {"psk": psk}),
                **({} if static is None else {"staticScalar": scalar_octets(static), "staticKey": p256.encode(p256.public_key(static))}),
                **({} if signer is None else {"signerScalar": scalar_octets(signer), "signerKey": p256.encode(p256.public_key(signer))}),
            },
            "prologueParts": parts,
            "start": start,
            "reply": self.reply_fields,
            "frames": {"M1": m1, "M2": m2},
        }
        self.records = []

    def cbc(self, direction, sequence, plaintext):
        """Seals under the keys of this run; remembered with everything that goes in."""
        traffic = (self.handshake.initiator_traffic, self.handshake.responder_traffic)[direction]
        iv = octets(f"{self.case_id} iv {direction} {sequence}", 16)
        record = cbc_record(traffic, direction, sequence, iv, plaintext)
        self.records.append({"kind": "cbc", "direction": direction, "sequence": sequence, "iv": iv, "plaintext": plaintext, "record": record})
        return record

    def finish(self, record=None):
        fields = dict(self.finish_fields)
        if record is not None:
            fields["record"] = record
        self.case["finish"] = fields
        self.case["frames"]["M3"] = self.handshake.finish(body(FINISH, fields))
        self.case["values"] = self.handshake.values
        self.case["records"] = self.records
        return self.case


def text_parts(*values):
    return [value.encode() if isinstance(value, str) else value for value in values]


def local_prologue(app="com.example.mail", peer="com.example.uem"):
    names = {
        "initiatorPlatformId": f"android:{app}:{sha256(app.encode()).hex()}",
        "responderPlatformId": f"android:{peer}:{sha256(peer.encode()).hex()}",
    }
    return names, text_parts(*names.values())


def access_key_records(run, nonce):
    """0x50 and 0x52, the first record of each direction (F3.3, F3.6)."""
    run.cbc(0, 0, frame(0x50, {0: APP_ID, 1: INSTANCE_ID, 2: nonce}))
    run.cbc(1, 0, frame(0x52, {0: ACCESS_KEY, 1: octets("key id", 16), 2: nonce, 3: 1_800_000_000, 4: USER_ID}))
    run.cbc(1, 1, frame(0x01, {0: 5}))


def ipc():
    prologue, parts = local_prologue()
    fields = {"appId": APP_ID, "instanceId": INSTANCE_ID}
    plain = Run("ipc-1", "App and UEM Client; the device identity key signs.", "ipc", prologue, parts, fields, signer=DEVICE_SCALAR)
    cases = [plain.finish()]
    access_key_records(plain, octets("nonce", 32))
    cases[0]["forward"] = frame(0x51, {0: APP_ID, 1: INSTANCE_ID, 2: octets("nonce", 32), 3: prologue["initiatorPlatformId"], 4: DEVICE_ID})
    offers = {**fields, "versions": [1, 2], "suites": [1, 2, 3]}
    more = Run("ipc-2", "More versions and suites offered than chosen; the shared secret begins with a zero byte.", "ipc", prologue, parts, offers,
               signer=DEVICE_SCALAR, zero=True)
    cases.append(more.finish())
    return cases


def ipcd():
    prologue, parts = local_prologue("com.example.notes", "com.example.mail")
    fields = {"appId": "com.example.notes", "instanceId": INSTANCE_ID}
    plain = Run("ipcd-1", "New app and activated sibling app: no signature.", "ipcd", prologue, parts, fields)
    cases = [plain.finish()]
    access_key_records(plain, octets("nonce ipcd", 32))
    later = Run("ipcd-2", "M1 has a field of a later version (key 64): passed over, and in the transcript.", "ipcd", prologue, parts,
                {**fields, "later": "something new"})
    cases.append(later.finish())
    return cases


def bindings(case_id):
    value = octets(case_id + " exporter", 32)
    return [({"kind": "tls-exporter", "value": value}, [b"tls-exporter", value]), ({"kind": "none"}, [b"none", b""])]


def link():
    cases = []
    for number, (binding, parts) in enumerate(bindings("link"), 1):
        link_id = octets("link id", 16)
        run = Run(f"link-{number}", f"App and NOC, channel binding {binding['kind']}.", "link", {"binding": binding, "linkId": link_id},
                  [*parts, link_id], {"pskId": link_id}, psk=octets("master link key", 32))
        cases.append(run.finish())
    return cases


MASTER_SESSION_KEY = octets("master session key", 32)
SESSION_KEY_ID = octets("session key id", 16)
PROXY_SCALAR = scalar("proxy static")
PROXY_KEY = p256.encode(p256.public_key(PROXY_SCALAR))


def proxy_prologue(proxy_id):
    names = {"tenantId": TENANT_ID, "proxyId": proxy_id, "instanceId": INSTANCE_ID, "keyExchangeKey": PROXY_KEY}
    return names, text_parts(*names.values())


def px():
    cases = []
    for number, (proxy_id, comment, zero) in enumerate(
        [(PROXY_ID, "App and Proxy, then GCM records with a key update and a close.", False),
         (CORE_ID, "UEM in the place of the Proxy; the ephemeral shared secret begins with a zero byte.", True)], 1):
        prologue, parts = proxy_prologue(proxy_id)
        run = Run(f"px-{number}", comment, "px", prologue, parts, {"pskId": SESSION_KEY_ID, "instanceId": INSTANCE_ID},
                  psk=proxy_key(MASTER_SESSION_KEY, proxy_id), static=PROXY_SCALAR, zero=zero)
        case = run.finish()
        case["inputs"]["masterSessionKey"] = MASTER_SESSION_KEY
        streams = []
        for direction, traffic in enumerate([run.handshake.initiator_traffic, run.handshake.responder_traffic]):
            stream = GcmDirection(traffic)
            text = [b"GET / HTTP/1.1\r\nHost: intranet.example\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"][direction]
            records = [("data", text, stream.seal(0x17, text)), ("keyUpdate", b"", stream.update()), ("data", b"", stream.seal(0x17, b"")),
                       ("data", text[:16], stream.seal(0x17, text[:16])), ("close", b"\x00", stream.seal(0x15, b"\x00"))]
            streams.append([{"what": what, "plaintext": plain, "record": record} for what, plain, record in records])
        case["gcm"] = streams
        cases.append(case)
    return cases


def dc():
    cases = []
    server_hash = sha256(der.spki(p256.public_key(scalar("proxy tls"))))
    for number, (binding, parts) in enumerate(bindings("dc"), 1):
        prologue, rest = proxy_prologue(PROXY_ID)
        run = Run(f"dc-{number}", f"Direct Connect, channel binding {binding['kind']}.", "dc",
                  {"binding": binding, "serverKeyHash": server_hash, **prologue}, [*parts, server_hash, *rest],
                  {"pskId": SESSION_KEY_ID, "instanceId": INSTANCE_ID}, psk=proxy_key(MASTER_SESSION_KEY, PROXY_ID), static=PROXY_SCALAR)
        case = run.finish()
        case["inputs"]["masterSessionKey"] = MASTER_SESSION_KEY
        cases.append(case)
    return cases


def svc():
    """docs/protocol/14-inter-app-services.md: two apps of one user on one device."""
    names, parts = local_prologue("com.example.mail", "com.example.print")
    responder, services_key = octets("instance of the printer", 16), octets("services key", 32)
    prologue = {**names, "tenantId": TENANT_ID, "instanceId": INSTANCE_ID, "responderInstanceId": responder}
    run = Run("svc-1", "App and app that offers a service; the request and the error are the first records.", "svc", prologue,
              [*parts, *text_parts(TENANT_ID), INSTANCE_ID, responder], {"pskId": responder, "instanceId": INSTANCE_ID},
              psk=service_key(services_key, INSTANCE_ID, responder))
    case = run.finish()
    case["inputs"]["servicesKey"] = services_key
    texts = [frame(0xB0, {0: "com.example.print", 1: "1.0.0.0", 2: "print", 3: '{"copies":2}', 4: [], 5: 2}), frame(0xB2, {0: 4})]
    streams = []
    for direction, traffic in enumerate([run.handshake.initiator_traffic, run.handshake.responder_traffic]):
        stream = GcmDirection(traffic)
        records = [("data", texts[direction], stream.seal(0x17, texts[direction])), ("close", b"\x00", stream.seal(0x15, b"\x00"))]
        streams.append([{"what": what, "plaintext": plain, "record": record} for what, plain, record in records])
    case["gcm"] = streams
    return [case]
