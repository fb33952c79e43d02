import { concatBytes } from '@uemkit/protocol';
import { nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import * as deeds from './deeds.ts';
import type { Deed, Held, WayToUem } from './lane.ts';
import type { DeedName } from './matrix.ts';

/** The messages of F3.7 to F3.11 as they pass the NOC, in order. `verify` and `provision` are between app and NOC, the others between app and UEM. */
export const ACTIVATION_MESSAGES = ['verify', 'provision', 'setUp', 'response', 'request', 'data', 'ack', 'done'] as const;
const FROM_APP: readonly string[] = ['verify', 'setUp', 'request', 'ack'];
export type ActivationMessage = (typeof ACTIVATION_MESSAGES)[number];

/** What a NOC has at hand besides the message itself. */
export interface AtHand {
  readonly released: Promise<void>;
  /** The same message of the last run. */
  readonly stale: Uint8Array | undefined;
  /** Another tenant, with its own UEM. */
  readonly otherTenant: { readonly tenantId: string; readonly coreId: string; readonly wayToUem: WayToUem };
  /** A session of another app that UEM knows. */
  readonly otherSession: Uint8Array;
}

const random = (lengthBytes: number): Uint8Array => nodeEntropy().randomBytes(lengthBytes);

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));

/** 0x30 or 0x31 with other fields. */
const says = (fields: Partial<wire.NocVerify & wire.NocProvision>): Deed =>
  deeds.inItsPlace(({ bytes, message }) => {
    const codec = (message === 'verify' ? wire.nocVerify : wire.nocProvision) as wire.MessageCodec<object>;
    return codec.encode({ ...codec.decode(wire.parseFrame(bytes)), ...fields });
  });

const inner = (bytes: Uint8Array): Uint8Array => wire.nocEnvelope.decode(wire.parseFrame(bytes)).frame;
const other = (fields: (held: Held) => Partial<wire.NocEnvelope>): Deed => deeds.inItsPlace((held) => deeds.inEnvelope(held.bytes, fields(held)));

/** The deed of a cell; undefined where the matrix says why there is none. */
export function activationDeed(message: ActivationMessage, deed: DeedName, at: AtHand): Deed | undefined {
  const common: Readonly<Partial<Record<DeedName, Deed>>> = {
    drop: deeds.drop,
    delay: deeds.delayUntil(at.released),
    replay: deeds.replay,
    stale: ({ pass }) => pass(at.stale as Uint8Array),
    swap: deeds.beforeInItsPlace,
    cross: deeds.exchange(),
    truncate: deeds.truncate,
    flip: deeds.flip,
    version: deeds.lowerFrame,
    alert: deeds.refuse(FROM_APP.includes(message) ? 'app' : 'noc'),
  };
  return { ...common, ...own[message]?.(at) }[deed];
}

/** Two records or messages change places, each in the envelope of the other one's session. */
const exchangeInner = (): Deed => {
  const exchange = deeds.exchange();
  return (held) => exchange({ ...held, bytes: inner(held.bytes), pass: (bytes) => held.pass(deeds.inEnvelope(held.bytes, { frame: bytes })) });
};

const own: Readonly<Record<ActivationMessage, (at: AtHand) => Partial<Record<DeedName, Deed>>>> = {
  verify: () => ({
    flip: deeds.inItsPlace(({ bytes }) => {
      const message = wire.nocVerify.decode(wire.parseFrame(bytes));
      return wire.nocVerify.encode({ ...message, accessKeyHash: flipped(message.accessKeyHash) });
    }),
    key: says({ accessKeyHash: random(32) }),
  }),
  provision: ({ otherTenant: { tenantId, coreId } }) => ({
    flip: deeds.inItsPlace(({ bytes }) => {
      const message = wire.nocProvision.decode(wire.parseFrame(bytes));
      return wire.nocProvision.encode({ ...message, token: flipped(message.token) });
    }),
    tenant: says({ tenantId }),
    proxy: says({ coreId, relayAddresses: ['noc.invalid:1'] }),
    key: says({ masterLinkKey: random(32) }),
  }),
  setUp: ({ otherTenant }) => ({
    tenant: ({ bytes, pass }) => pass(bytes, { told: { tenantId: otherTenant.tenantId } }),
    proxy: ({ bytes, pass }) => pass(bytes, { told: { tenantId: otherTenant.tenantId }, at: otherTenant.wayToUem }),
    key: deeds.otherEphemeralKey,
    version: deeds.lowerHandshake,
  }),
  response: ({ otherSession }) => ({
    tenant: deeds.inItsPlace(({ bytes }) => deeds.withFields(bytes, { sessionId: otherSession })),
    key: deeds.otherEphemeralKey,
    version: deeds.lowerHandshake,
  }),
  request: ({ otherSession, otherTenant }) => ({
    swap: other(({ before }) => ({ frame: before ?? new Uint8Array(1) })),
    cross: exchangeInner(),
    tenant: other(() => ({ sessionId: otherSession })),
    proxy: ({ bytes, pass }) => pass(bytes, { at: otherTenant.wayToUem }),
    key: other(({ bytes }) => ({ frame: concatBytes(inner(bytes).slice(0, -32), random(32)) })),
  }),
  data: ({ otherSession }) => ({
    cross: exchangeInner(),
    tenant: other(() => ({ sessionId: otherSession })),
    key: deeds.otherCbcSeal('responder-to-initiator', 0),
  }),
  ack: ({ otherSession, otherTenant }) => ({
    cross: exchangeInner(),
    tenant: other(() => ({ sessionId: otherSession })),
    proxy: ({ bytes, pass }) => pass(bytes, { at: otherTenant.wayToUem }),
    key: deeds.otherCbcSeal('initiator-to-responder', 1),
  }),
  done: ({ otherSession }) => ({
    cross: exchangeInner(),
    tenant: other(() => ({ sessionId: otherSession })),
    key: deeds.otherCbcSeal('responder-to-initiator', 1),
  }),
};
