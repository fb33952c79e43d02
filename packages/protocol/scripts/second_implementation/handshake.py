"""The handshake core of docs/protocol/03-handshake.md, both roles at once."""
from . import p256
from .encoding import frame, lp
from .keys import PREFIX, ZERO, derive, extract, label, mac, mix, sha256


class Handshake:
    """Runs one handshake and remembers every value on the way."""

    def __init__(self, name, prologue, initiator_scalar, responder_scalar, psk=None, static_scalar=None):
        self.name = name
        self.values = {}
        self.psk = psk
        self.e_i, self.e_r = initiator_scalar, responder_scalar
        self.s_r = static_scalar
        self.E_i, self.E_r = p256.public_key(self.e_i), p256.public_key(self.e_r)
        self.h = sha256(label("hs " + name) + b"".join(lp(part) for part in prologue))
        self.values["h0"] = self.h
        self.es = extract(ZERO, psk if psk is not None else ZERO)
        self.values["es"] = self.es

    def start(self, body):
        core = frame(0x20, body)
        h0, self.h = self.h, mix(self.h, core)
        if self.psk is None:
            self.values["h1"] = self.h
            return core
        binder = derive(self.es, "binder", h0)
        mac1 = mac(binder, self.h)
        self.h = mix(self.h, mac1)
        self.values.update(binderKey=binder, mac1=mac1, h1=self.h)
        return core + mac1

    def agree(self):
        secret = self.es
        if self.s_r is not None:
            z_es = p256.ecdh(self.e_i, p256.public_key(self.s_r))
            assert z_es == p256.ecdh(self.s_r, self.E_i)
            secret = extract(derive(secret, "derived"), z_es)
            self.values.update(zStatic=z_es, s=secret)
        z_ee = p256.ecdh(self.e_i, self.E_r)
        assert z_ee == p256.ecdh(self.e_r, self.E_i)
        self.hs = extract(derive(secret, "derived"), z_ee)
        self.values.update(zEphemeral=z_ee, hs=self.hs)

    def reply(self, body, signer=None):
        core = frame(0x21, body)
        self.h = mix(self.h, core)
        signature = b""
        if signer is not None:
            text = b"\x20" * 64 + PREFIX + b"ipc r sig" + b"\x00" + self.h
            signature = p256.sign(signer, text)
            self.h = mix(self.h, signature)
            self.values.update(signatureText=text, signature=signature)
        mac2 = mac(derive(self.hs, "r fin"), self.h)
        self.h = mix(self.h, mac2)
        ms = extract(derive(self.hs, "derived"), ZERO)
        self.initiator_traffic = derive(ms, "i ap", self.h)
        self.responder_traffic = derive(ms, "r ap", self.h)
        self.values.update(
            mac2=mac2,
            h2=self.h,
            ms=ms,
            initiatorTraffic=self.initiator_traffic,
            responderTraffic=self.responder_traffic,
            exporter=derive(ms, "exp", self.h),
        )
        return core + signature + mac2

    def finish(self, body):
        core = frame(0x22, body)
        self.h = mix(self.h, core)
        mac3 = mac(derive(self.hs, "i fin"), self.h)
        self.h = mix(self.h, mac3)
        self.values.update(mac3=mac3, h3=self.h)
        return core + mac3
