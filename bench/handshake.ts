import type { CryptoProvider, Entropy, SecretBytes } from '@uemkit/protocol';
import { nobleCrypto } from '@uemkit/protocol/noble';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import type * as wire from '@uemkit/protocol/wire';
import { type HandshakeInitiator, handshakeInitiator } from '../packages/protocol/src/machine/handshake/handshake-initiator.ts';
import { type HandshakeResponder, handshakeResponder } from '../packages/protocol/src/machine/handshake/handshake-responder.ts';
import type {
  HandshakeBinding,
  HandshakeInitiatorOptions,
  HandshakePeer,
  HandshakeRequestResult,
  HandshakeResponderOptions,
} from '../packages/protocol/src/machine/handshake/handshake-types.ts';
import { atMost, type Bench, compared, type Figure, median } from './harness.ts';
import { type Replay, recordingCrypto, recordingEntropy } from './recording-crypto.ts';

const filled = (byte: number, lengthBytes: number): Uint8Array => new Uint8Array(lengthBytes).fill(byte);
const psk = (): SecretBytes<'psk'> => filled(1, 32) as SecretBytes<'psk'>;
const staticScalar = (): SecretBytes<'static-scalar'> => filled(2, 32) as SecretBytes<'static-scalar'>;
const deviceKey = filled(3, 32);
const instanceId = filled(4, 16);
const certificates = [filled(5, 600)];
const ROUNDS = 7;

/** How the two ends of one handshake are made, each anew for each run. */
interface Ends {
  initiator(): HandshakeInitiator;
  responder(): HandshakeResponder;
  /** What the responder's host finds out about the initiator, and how it signs. */
  peer(): HandshakePeer;
  sign(message: Uint8Array): Uint8Array;
}

function bindings(staticKey: Uint8Array): readonly HandshakeBinding[] {
  const local = { initiatorPlatformId: 'android:com.example.app:00', responderPlatformId: 'android:com.example.client:11' };
  const proxy = { tenantId: 'tenant-1', proxyId: 'proxy-1', instanceId, keyExchangeKey: staticKey };
  const binding = { kind: 'tls-exporter', value: filled(6, 32) } as const;
  return [
    { name: 'ipc', prologue: local },
    { name: 'ipcd', prologue: local },
    { name: 'sc', prologue: { tenantId: 'tenant-1', coreId: 'core-1' } },
    { name: 'link', prologue: { binding, linkId: filled(7, 16) } },
    { name: 'px', prologue: proxy },
    { name: 'dc', prologue: { ...proxy, binding, serverKeyHash: filled(8, 32) } },
    { name: 'svc', prologue: { ...local, tenantId: 'tenant-1', instanceId, responderInstanceId: filled(9, 16) } },
  ];
}

type StartFields = Pick<wire.HandshakeStart, 'pskId' | 'userId' | 'appId' | 'instanceId'>;

const START_FIELDS: Readonly<Record<wire.HandshakeName, StartFields>> = {
  ipc: { appId: 'com.example.app', instanceId },
  ipcd: { appId: 'com.example.app', instanceId },
  sc: { pskId: filled(9, 64), userId: 'alice@example.com' },
  link: { pskId: filled(7, 16) },
  px: { pskId: filled(9, 16), instanceId },
  dc: { pskId: filled(9, 16), instanceId },
  svc: { pskId: filled(9, 16), instanceId },
};

/** What one side draws on. */
interface Side {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
}

function ends(binding: HandshakeBinding, initiatorSide: Side, responderSide: Side, staticKey: Uint8Array, devicePublic: Uint8Array): Ends {
  const { name } = binding;
  const hasPsk = name !== 'ipc' && name !== 'ipcd';
  const hasStatic = name === 'px' || name === 'dc';
  const initiatorOptions: HandshakeInitiatorOptions = {
    ...initiatorSide,
    binding,
    start: START_FIELDS[name],
    ...(hasPsk ? { psk: psk() } : {}),
    ...(hasStatic ? { responderStaticKey: staticKey } : {}),
    ...(name === 'sc' ? { finishContent: filled(1, 128) } : {}),
    ...(name === 'ipc' ? { identifyResponder: () => devicePublic } : {}),
  };
  const responderOptions: HandshakeResponderOptions = { ...responderSide, name, ...(name === 'ipc' ? { certificates } : {}) };
  return {
    initiator: () => handshakeInitiator(initiatorOptions),
    responder: () => handshakeResponder(responderOptions),
    // The responder wipes what it was given.
    peer: () => ({ binding, ...(hasPsk ? { psk: psk() } : {}), ...(hasStatic ? { staticScalar: staticScalar() } : {}) }),
    sign: (message) => responderSide.crypto.p256Sign(deviceKey, message),
  };
}

/** Nanoseconds that each side spent. Both sides are synchronous, so the time between call and return is theirs. */
interface Spent {
  initiator: number;
  responder: number;
}

function timed<T>(spent: Spent, side: keyof Spent, work: () => T): T {
  const start = process.hrtime.bigint();
  const result = work();
  spent[side] += Number(process.hrtime.bigint() - start);
  return result;
}

function shake(parts: Ends, spent: Spent): void {
  const peer = parts.peer();
  // Making the initiator makes its ephemeral key.
  const initiator = timed(spent, 'initiator', parts.initiator);
  const responder = timed(spent, 'responder', parts.responder);
  let done = 0;
  const toInitiator: Uint8Array[] = [];
  const toResponder: Uint8Array[] = [];
  const take = (
    effects: ReturnType<HandshakeInitiator['handle']> | ReturnType<HandshakeResponder['handle']>,
    out: Uint8Array[],
  ): HandshakeRequestResult | undefined => {
    let answer: HandshakeRequestResult | undefined;
    for (const effect of effects) {
      if (effect.type === 'send') out.push(effect.frame);
      if (effect.type === 'fail') throw effect.error;
      if (effect.type === 'done') {
        done++;
        effect.output.wipe();
      }
      if (effect.type === 'request') {
        answer =
          effect.request.type === 'identify'
            ? { type: 'identified', peer }
            : { type: 'signed', signature: timed(spent, 'responder', signing(effect.request.message, parts.sign)) };
      }
    }
    return answer;
  };
  timed(spent, 'responder', () => responder.handle({ type: 'start' }, 0));
  take(
    timed(spent, 'initiator', () => initiator.handle({ type: 'start' }, 0)),
    toResponder,
  );
  while (toInitiator.length + toResponder.length > 0) {
    const outward = toResponder.shift();
    if (outward !== undefined) {
      let answer = take(
        timed(spent, 'responder', () => responder.handle({ type: 'received', frame: outward }, 0)),
        toInitiator,
      );
      while (answer !== undefined) {
        const result = answer;
        answer = take(
          timed(spent, 'responder', () => responder.handle({ type: 'result', result }, 0)),
          toInitiator,
        );
      }
    }
    const inward = toInitiator.shift();
    if (inward !== undefined)
      take(
        timed(spent, 'initiator', () => initiator.handle({ type: 'received', frame: inward }, 0)),
        toResponder,
      );
  }
  if (done !== 2) throw new Error(`the handshake ended at ${done} of 2 sides`);
}

const signing = (message: Uint8Array, sign: (message: Uint8Array) => Uint8Array) => (): Uint8Array => sign(message);

function recordingSide({ crypto: provider, entropy }: Side): Side & { readonly replays: readonly Replay[] } {
  const { crypto, replays } = recordingCrypto(provider);
  return { crypto, entropy: recordingEntropy(entropy, replays), replays };
}

function replay(primitives: readonly Replay[]): number {
  const start = process.hrtime.bigint();
  for (const primitive of primitives) primitive();
  return Number(process.hrtime.bigint() - start);
}

export const bench: Bench = (progress) => {
  const figures: Figure[] = [];
  for (const crypto of [nodeCrypto(), nobleCrypto()]) {
    const staticKey = crypto.p256PublicKey(staticScalar());
    const devicePublic = crypto.p256PublicKey(deviceKey);
    const side: Side = { crypto, entropy: nodeEntropy() };
    const batch = crypto.name === 'node' ? 200 : 15;
    // The first instance must not pay for the warming of code that all share.
    for (const binding of bindings(staticKey)) {
      for (let i = 0; i < batch; i++) shake(ends(binding, side, side, staticKey, devicePublic), { initiator: 0, responder: 0 });
    }
    for (const binding of bindings(staticKey)) {
      progress(`${crypto.name}: ${binding.name}`);
      const initiatorSide = recordingSide(side);
      const responderSide = recordingSide(side);
      shake(ends(binding, initiatorSide, responderSide, staticKey, devicePublic), { initiator: 0, responder: 0 });
      const made = ends(binding, side, side, staticKey, devicePublic);
      for (let i = 0; i < batch / 4; i++) shake(made, { initiator: 0, responder: 0 });
      const rounds = Array.from({ length: ROUNDS }, () => {
        const runs = Array.from({ length: batch }, () => {
          const spent: Spent = { initiator: 0, responder: 0 };
          shake(made, spent);
          return { spent, bare: { initiator: replay(initiatorSide.replays), responder: replay(responderSide.replays) } };
        });
        // The median of the runs: one that another process interrupted does not count.
        const of = (side: keyof Spent, which: 'spent' | 'bare'): number => median(runs.map((run) => run[which][side])) / 1000;
        return {
          initiator: { value: of('initiator', 'spent'), baseline: of('initiator', 'bare') },
          responder: { value: of('responder', 'spent'), baseline: of('responder', 'bare') },
        };
      });
      for (const side of ['initiator', 'responder'] as const) {
        const pairs = rounds.map((round) => round[side]);
        figures.push(compared(`${crypto.name} ${binding.name} ${side}`, 'µs', pairs, atMost(1.3)));
      }
    }
  }
  return Promise.resolve(figures);
};
