import { concatBytes, record, secret } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import type { Deed, Held } from './lane.ts';

const crypto = nodeCrypto();
const entropy = nodeEntropy();

/** With the last byte, which is of a MAC or a tag where the message has one, and no length. */
export const flip: Deed = ({ bytes, pass }) => pass(changed(bytes, bytes.length - 1, (byte) => byte ^ 1));

export const drop: Deed = () => {};

const REFUSED = wire.alert.encode({ code: 'authFailed' });

/** To the app, which has sent the message or waits for it. */
export const refuse =
  (from: 'app' | 'noc'): Deed =>
  ({ answer, pass }) =>
    from === 'app' ? answer(REFUSED) : pass(REFUSED);

export const replay: Deed = ({ bytes, pass }) => {
  pass(bytes);
  pass(bytes);
};

export const truncate: Deed = ({ bytes, pass, end }) => {
  pass(bytes.slice(0, bytes.length >> 1));
  end();
};

export const swapWithNext: Deed = async ({ bytes, pass, next }) => {
  pass(await next());
  pass(bytes);
};

export const beforeInItsPlace: Deed = ({ before, pass }) => pass(before ?? new Uint8Array(0));

export const inItsPlace =
  (make: (held: Held) => Uint8Array): Deed =>
  (held) =>
    held.pass(make(held));

/** Until `released`, and then as it was. */
export const delayUntil =
  (released: Promise<void>): Deed =>
  async ({ bytes, pass }) => {
    await released;
    pass(bytes);
  };

/** Two of them change places. */
export function exchange(): Deed {
  let first: { readonly held: Held; readonly met: () => void } | undefined;
  return (held) =>
    new Promise((resolve) => {
      if (first === undefined) {
        first = { held, met: resolve };
        return;
      }
      first.held.pass(held.bytes);
      held.pass(first.held.bytes);
      first.met();
      resolve();
    });
}

/** Version 0 in the header of a frame. */
export const lowerFrame: Deed = ({ bytes, pass }) => pass(changed(bytes, 0, () => 0));

/** Version 0 in the body of M1 (a list) or M2 (a number), where it is the first field. */
export const lowerHandshake: Deed = ({ bytes, pass }) => {
  const at = wire.FRAME_HEADER_BYTES + (wire.peekFrameName(bytes) === 'handshakeStart' ? 3 : 2);
  if (bytes[at] !== 1) throw new Error('no version where it has to be');
  pass(changed(bytes, at, () => 0));
};

/** M1 or M2 with an ephemeral key that the NOC has made; the rest of it stays, MAC included. */
export const otherEphemeralKey: Deed = ({ bytes, pass }) => pass(withFields(bytes, { ephemeralKey: crypto.p256PublicKey(entropy.randomBytes(32)) }));

/** A MAC that the NOC has made. */
export const otherMac: Deed = ({ bytes, pass }) => pass(concatBytes(bytes.slice(0, -32), entropy.randomBytes(32)));

/** M1, M2 or M3 with other fields; trailers stay. */
export function withFields(bytes: Uint8Array, fields: Partial<wire.HandshakeStart & wire.HandshakeReply & wire.HandshakeFinish>): Uint8Array {
  const frame = wire.parseFrame(bytes, { trailerBytes: 32, maxBodyBytes: wire.LIMITS.certificateBodyBytes });
  const codecs = { handshakeStart: wire.handshakeStart, handshakeReply: wire.handshakeReply, handshakeFinish: wire.handshakeFinish } as const;
  const codec = codecs[frame.name as keyof typeof codecs] as wire.MessageCodec<object>;
  return concatBytes(codec.encode({ ...codec.decode(frame), ...fields }), frame.trailer);
}

/** A record of `px` that the NOC has sealed, of the kind of this one. */
export const otherGcmSeal: Deed = ({ bytes, pass }) => {
  const sealer = record.createGcmSealer(crypto, { traffic: secret(entropy.randomBytes(32)), bornMs: Date.now() });
  const kinds: Readonly<Record<number, () => Uint8Array>> = {
    23: () => sealer.sealData(new Uint8Array(Math.max(0, bytes.length - 19)), Date.now()),
    24: () => sealer.updateKey(Date.now()),
    21: () => sealer.close(),
  };
  pass((kinds[bytes[0] as number] as () => Uint8Array)());
};

/** The record in a 0x33 of `sc`, sealed by the NOC. */
export const otherCbcSeal =
  (direction: record.Direction, sequence: number): Deed =>
  ({ bytes, pass }) => {
    const sealer = record.createCbcSealer(crypto, entropy, { traffic: secret(entropy.randomBytes(32)), bornMs: Date.now(), direction, sequence });
    pass(inEnvelope(bytes, { frame: sealer.seal(new Uint8Array(32), Date.now()) }));
  };

/** 0x33 with something else in it. */
export function inEnvelope(bytes: Uint8Array, fields: Partial<wire.NocEnvelope>): Uint8Array {
  return wire.nocEnvelope.encode({ ...wire.nocEnvelope.decode(wire.parseFrame(bytes)), ...fields });
}

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const other = bytes.slice();
  other[at] = change(other[at] as number);
  return other;
}
