import { afterAll, describe, expect, it } from 'vitest';
import { secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { accessKeySalt, assistedAccessKey, nocHash, nocVerifier, setUpPsk, typedAccessKeyStretch } from '../../src/key-schedule/access-key.ts';
import { HANDSHAKES } from '../../src/key-schedule/handshake-instances.ts';
import { type PrologueInputs, prologueParts } from '../../src/key-schedule/handshake-prologue.ts';
import { createHandshakeSchedule } from '../../src/key-schedule/handshake-schedule.ts';
import { openNocToken, sealNocToken } from '../../src/key-schedule/noc-token.ts';
import { gatewayTunnelKey, proxyPsk, tunnelPsk, tunnelPskIdentity } from '../../src/key-schedule/proxy-keys.ts';
import { servicePsk } from '../../src/key-schedule/service-keys.ts';
import { startTranscript } from '../../src/key-schedule/transcript.ts';
import { userIdHash } from '../../src/key-schedule/user-id.ts';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import { createGcmOpener, createGcmSealer } from '../../src/record/gcm-record.ts';
import * as wire from '../../src/wire/index.ts';
import { load, PROVIDERS } from '../vectors/vectors.ts';

type Fields = Readonly<Record<string, unknown>>;
type Hex = Readonly<Record<string, string>>;

interface CbcVector {
  readonly direction: 0 | 1;
  readonly sequence: number;
  readonly iv: string;
  readonly plaintext: string;
  readonly record: string;
}

interface Case {
  readonly id: string;
  readonly instance: wire.HandshakeName;
  readonly inputs: Hex & { readonly prologue: Fields };
  readonly prologueParts: readonly string[];
  readonly start: Fields;
  readonly reply: Fields;
  readonly finish: Fields;
  readonly frames: { readonly M1: string; readonly M2: string; readonly M3: string };
  readonly values: Hex;
  readonly records: readonly CbcVector[];
  readonly forward?: string;
  readonly gcm?: readonly (readonly { readonly what: string; readonly plaintext: string; readonly record: string }[])[];
  readonly accessKey?: Hex;
  readonly noc?: Hex & { readonly envelopes: readonly string[]; readonly expiryEpochS: number };
}

const FILES = ['ipc', 'ipcd', 'link', 'dc', 'px', 'sc', 'svc'] as const;
const cases = FILES.flatMap((file) => load<{ readonly cases: readonly Case[] }>(`uemkit/${file}.json`).cases);
const { tunnels } = load<{ readonly tunnels: readonly Hex[] }>('uemkit/sc.json');
const DIRECTIONS = ['initiator-to-responder', 'responder-to-initiator'] as const;

/** A decoded value as the files write it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function prologueInput(fields: Fields): PrologueInputs[wire.HandshakeName] {
  const binding = fields.binding as { kind: string; value?: string } | undefined;
  const bytes = ['linkId', 'instanceId', 'keyExchangeKey', 'serverKeyHash', 'responderInstanceId'].filter((name) => name in fields);
  return {
    ...fields,
    ...Object.fromEntries(bytes.map((name) => [name, fromHex(fields[name] as string)])),
    ...(binding === undefined ? {} : { binding: { ...binding, ...(binding.value === undefined ? {} : { value: fromHex(binding.value) }) } }),
  } as never;
}

function runHandshake(crypto: CryptoProvider, vector: Case) {
  const { inputs, values, instance } = vector;
  const table = HANDSHAKES[instance];
  const parts = prologueParts(instance, prologueInput(inputs.prologue) as never);
  expect(parts.map(toHex)).toEqual(vector.prologueParts);
  expect(toHex(startTranscript(crypto, `hs ${instance}`, parts))).toBe(values.h0);
  const psk = inputs.psk === undefined ? undefined : secret<'psk'>(fromHex(inputs.psk));
  const staticScalar = inputs.staticScalar === undefined ? undefined : secret<'static-scalar'>(fromHex(inputs.staticScalar));
  const initiator = createHandshakeSchedule(crypto, instance, parts, {
    role: 'initiator',
    psk,
    responderStaticKey: inputs.staticKey === undefined ? undefined : fromHex(inputs.staticKey),
  });
  const responder = createHandshakeSchedule(crypto, instance, parts, { role: 'responder', psk, staticScalar });

  const m1 = wire.parseFrame(fromHex(vector.frames.M1), { maxBodyBytes: table.bodyBytes.start, trailerBytes: table.trailerBytes.start });
  const start = wire.handshakeStart.decode(m1);
  const { later, ...known } = vector.start;
  expect(plain(start)).toEqual(known);
  if (later === undefined) expect(toHex(wire.handshakeStart.encode(start))).toBe(toHex(m1.core));
  expect(toHex(initiator.sealStart(m1.core))).toBe(vector.frames.M1);
  responder.openStart(m1.core, m1.trailer);

  const m2 = wire.parseFrame(fromHex(vector.frames.M2), { maxBodyBytes: table.bodyBytes.reply, trailerBytes: table.trailerBytes.reply });
  const reply = wire.handshakeReply.decode(m2);
  expect(plain(reply)).toEqual(vector.reply);
  expect(toHex(wire.handshakeReply.encode(reply))).toBe(toHex(m2.core));
  const [e_i, e_r] = [
    secret<'ephemeral-scalar'>(fromHex(inputs.initiatorScalar as string)),
    secret<'ephemeral-scalar'>(fromHex(inputs.responderScalar as string)),
  ];
  expect(crypto.p256PublicKey(e_i)).toEqual(start.ephemeralKey);
  expect(crypto.p256PublicKey(e_r)).toEqual(reply.ephemeralKey);
  initiator.agree({ scalar: e_i, own: start.ephemeralKey, peer: reply.ephemeralKey });
  responder.agree({ scalar: e_r, own: reply.ephemeralKey, peer: start.ephemeralKey });
  expect([e_i, e_r].map(toHex)).toEqual(['00'.repeat(32), '00'.repeat(32)]);
  if (values.signature !== undefined) expect(toHex(responder.replySignatureText(m2.core))).toBe(values.signatureText);
  expect(toHex(responder.sealReply(m2.core, values.signature === undefined ? undefined : fromHex(values.signature)))).toBe(vector.frames.M2);
  initiator.openReply(m2.core, m2.trailer, inputs.signerKey === undefined ? undefined : fromHex(inputs.signerKey));

  const m3 = wire.parseFrame(fromHex(vector.frames.M3), { maxBodyBytes: table.bodyBytes.finish, trailerBytes: table.trailerBytes.finish });
  const finish = wire.handshakeFinish.decode(m3);
  expect(plain(finish)).toEqual(vector.finish);
  expect(toHex(wire.handshakeFinish.encode(finish))).toBe(toHex(m3.core));
  expect(toHex(initiator.sealFinish(m3.core))).toBe(vector.frames.M3);
  responder.openFinish(m3.core, m3.trailer);

  const keys = initiator.takeKeys();
  expect(plain(keys)).toEqual({ initiatorTraffic: values.initiatorTraffic, responderTraffic: values.responderTraffic, exporter: values.exporter });
  expect(responder.takeKeys()).toEqual(keys);
  return keys;
}

/** Message inside each CBC record: one inner frame, or (embedded in M3) the bare body of a provisioning request. */
function readInner(plaintext: Uint8Array, embedded: boolean): wire.FrameName {
  if (embedded) {
    expect(wire.provisioningRequest.encodeBody(wire.provisioningRequest.decodeBody(plaintext))).toEqual(plaintext);
    return 'handshakeFinish';
  }
  const frame = wire.parseFrame(plaintext);
  const codecs = [wire.accessKeyRequest, wire.accessKeyResponse, wire.alert, wire.provisioningData, wire.provisioningAck, wire.provisioningDone];
  const codec = codecs.find((candidate) => candidate.name === frame.name) as wire.MessageCodec<object>;
  expect(toHex(codec.encode(codec.decode(frame)))).toBe(toHex(plaintext));
  return frame.name;
}

async function checkAccessKey(crypto: CryptoProvider, vector: Case): Promise<void> {
  const { userId, accessKey, nonce, ...expected } = vector.accessKey as Hex & { userId: string; accessKey: string; nonce: string };
  const stretch = typedAccessKeyStretch(crypto, accessKey, userId);
  const key =
    nonce === ''
      ? secret<'access-key'>(await crypto.scrypt(stretch.password, stretch.salt, stretch.cost, stretch.lengthBytes))
      : assistedAccessKey(crypto, accessKey, userId, fromHex(nonce));
  const hash = nocHash(crypto, key);
  const derived = { salt: accessKeySalt(crypto, userId), secret: key, nocHash: hash, setUpPsk: setUpPsk(crypto, key), nocVerifier: nocVerifier(crypto, hash) };
  expect(plain(derived)).toEqual(expected);
  expect(toHex(derived.setUpPsk)).toBe(vector.inputs.psk);
}

function checkNoc(crypto: CryptoProvider, vector: Case): void {
  const noc = vector.noc as NonNullable<Case['noc']>;
  const tenantId = vector.inputs.prologue.tenantId as string;
  const [tokenKey, tokenId, linkId, token] = ['tokenKey', 'tokenId', 'linkId', 'token'].map((name) => fromHex(noc[name] as string)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const said = { tokenId, linkId, expiryEpochS: noc.expiryEpochS };
  expect(sealNocToken(crypto, secret(tokenKey), said, tenantId)).toEqual(token);
  expect(openNocToken(crypto, secret(tokenKey), token, tenantId, noc.expiryEpochS - 1)).toEqual(said);
  expect(toHex(userIdHash(crypto, vector.start.userId as string))).toBe(noc.userIdHash);
  const read = <T>(codec: wire.MessageCodec<T>, hex: string): T => {
    const message = codec.decode(wire.parseFrame(fromHex(hex)));
    expect(toHex(codec.encode(message))).toBe(hex);
    return message;
  };
  expect(toHex(read(wire.nocVerify, noc.verify as string).accessKeyHash)).toBe(vector.accessKey?.nocHash);
  expect(read(wire.nocProvision, noc.provision as string)).toMatchObject({ token, linkId, tenantId });
  expect(toHex(read(wire.nocSetUp, noc.setUp as string).setUp)).toBe(vector.frames.M1);
  expect(read(wire.nocKeyConsumed, noc.consumed as string).linkId).toEqual(linkId);
  const inner = noc.envelopes.map((hex) => toHex(read(wire.nocEnvelope, hex).frame));
  expect(inner).toEqual([vector.frames.M3, vector.records[1]?.record, vector.records[2]?.record]);
}

describe.each(PROVIDERS)('vectors of the second implementation, handshakes, with $name', ({ crypto }) => {
  const executed = { cases: 0, cbcRecords: 0, gcmRecords: 0, inner: [] as string[], tunnels: 0 };

  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', async (_id, vector) => {
    const keys = runHandshake(crypto, vector);
    const traffic = [keys.initiatorTraffic, keys.responderTraffic] as const;
    const openers = traffic.map((ts, direction) => createCbcOpener(crypto, { traffic: ts, direction: DIRECTIONS[direction] as never, bornMs: 0 }));
    for (const record of vector.records) {
      const { direction, sequence } = record;
      const options = { traffic: traffic[direction], direction: DIRECTIONS[direction], bornMs: 0, sequence };
      const sealer = createCbcSealer(crypto, { randomBytes: () => fromHex(record.iv) }, options);
      expect(toHex(sealer.seal(fromHex(record.plaintext), 0))).toBe(record.record);
      const plaintext = openers[direction]?.open(fromHex(record.record), 0) as Uint8Array;
      expect(toHex(plaintext)).toBe(record.plaintext);
      executed.inner.push(readInner(plaintext, record.record === vector.finish.record));
      executed.cbcRecords++;
    }
    for (const [direction, stream] of (vector.gcm ?? []).entries()) {
      const options = { traffic: traffic[direction] as (typeof traffic)[0], bornMs: 0 };
      const [sealer, opener] = [createGcmSealer(crypto, options), createGcmOpener(crypto, options)];
      for (const { what, plaintext, record } of stream) {
        const sealed = what === 'data' ? sealer.sealData(fromHex(plaintext), 0) : what === 'close' ? sealer.close() : sealer.updateKey(0);
        expect(toHex(sealed)).toBe(record);
        const expected = { data: { type: 'data', plaintext: fromHex(plaintext) }, close: { type: 'closed', alert: 0 }, keyUpdate: { type: 'key-updated' } };
        expect(opener.open(sealed, 0)).toEqual(expected[what as keyof typeof expected]);
        executed.gcmRecords++;
      }
      opener.end();
    }
    const { masterSessionKey, servicesKey } = vector.inputs;
    if (servicesKey !== undefined) {
      const [from, to] = ['instanceId', 'responderInstanceId'].map((name) => fromHex(vector.inputs.prologue[name] as string)) as [Uint8Array, Uint8Array];
      expect(toHex(servicePsk(crypto, secret(fromHex(servicesKey)), from, to))).toBe(vector.inputs.psk);
    }
    if (masterSessionKey !== undefined) {
      expect(toHex(proxyPsk(crypto, secret(fromHex(masterSessionKey)), vector.inputs.prologue.proxyId as string))).toBe(vector.inputs.psk);
    }
    if (vector.forward !== undefined) {
      const forward = wire.accessKeyForward.decode(wire.parseFrame(fromHex(vector.forward)));
      expect(toHex(wire.accessKeyForward.encode(forward))).toBe(vector.forward);
    }
    if (vector.accessKey !== undefined) await checkAccessKey(crypto, vector);
    if (vector.noc !== undefined) checkNoc(crypto, vector);
    executed.cases++;
  });

  it.each(tunnels.map((vector) => [vector.id as string, vector] as const))('%s', (_id, vector) => {
    const bytes = (name: string): Uint8Array => fromHex(vector[name] as string);
    const key = gatewayTunnelKey(crypto, secret(bytes('tunnelKey')), vector.gatewayId as string);
    expect(toHex(key)).toBe(vector.gatewayKey);
    const signal = { tunnelId: bytes('tunnelId'), initiatorNonce: bytes('initiatorNonce'), responderNonce: bytes('responderNonce') };
    expect(toHex(tunnelPsk(crypto, key, signal))).toBe(vector.psk);
    expect(tunnelPskIdentity(signal.tunnelId)).toBe(vector.identity);
    executed.tunnels++;
  });

  afterAll(() => {
    expect({ ...executed, inner: [...new Set(executed.inner)].sort() }).toEqual({
      cases: 13,
      cbcRecords: 14,
      gcmRecords: 24,
      tunnels: 2,
      inner: ['accessKeyRequest', 'accessKeyResponse', 'alert', 'handshakeFinish', 'provisioningAck', 'provisioningData', 'provisioningDone'],
    });
    expect(cases.filter((vector) => /^00/.test(vector.values.zEphemeral as string)).map((vector) => vector.id)).toEqual(['ipc-2', 'px-2']);
  });
});
