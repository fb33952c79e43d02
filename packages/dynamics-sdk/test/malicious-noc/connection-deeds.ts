import type { Duplex } from 'node:stream';
import { concatBytes } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import * as deeds from './deeds.ts';
import type { Deed } from './lane.ts';
import type { DeedName } from './matrix.ts';

/** The messages of F10.2 to F10.4 as they pass the NOC, and of the updates of an app (F5.3 to F5.5), which take the same way to UEM. */
export const CONNECTION_MESSAGES = [
  'linkStart',
  'linkReply',
  'linkFinish',
  'connect',
  'connected',
  'pxStart',
  'pxReply',
  'pxFinish',
  'open',
  'opened',
  'keyUpdateUp',
  'dataUp',
  'endUp',
  'keyUpdateDown',
  'dataDown',
  'endDown',
  'closeUp',
  'updateRequest',
  'update',
  'updateReport',
  'updateDone',
] as const;
export type ConnectionMessage = (typeof CONNECTION_MESSAGES)[number];

/** What a NOC has at hand besides the message itself. */
export interface LinkAtHand {
  readonly released: Promise<void>;
  /** The same message of the last session of this app. */
  readonly stale: Uint8Array | undefined;
  /** Of another app, of the same tenant. */
  readonly other: { readonly linkId: Uint8Array; readonly sessionKeyId: Uint8Array; readonly instanceId: Uint8Array; readonly sessionId: Uint8Array };
  readonly coreId: string;
  /** A connection to the Proxy of another tenant. */
  openOtherProxy(): Promise<Duplex>;
}

const TO_APP: readonly ConnectionMessage[] = ['linkReply', 'connected', 'pxReply', 'opened', 'keyUpdateDown', 'dataDown', 'endDown', 'update', 'updateDone'];
/** Messages that another one of their direction follows without an answer in between. */
const FOLLOWED: readonly ConnectionMessage[] = ['linkFinish', 'keyUpdateUp', 'dataUp', 'keyUpdateDown', 'dataDown', 'pxFinish'];
const random = (lengthBytes: number): Uint8Array => nodeEntropy().randomBytes(lengthBytes);

/** The deed of a cell; undefined where the matrix says why there is none. */
export function connectionDeed(message: ConnectionMessage, deed: DeedName, at: LinkAtHand): Deed | undefined {
  const common: Readonly<Partial<Record<DeedName, Deed>>> = {
    drop: deeds.drop,
    delay: deeds.delayUntil(at.released),
    replay: deeds.replay,
    stale: ({ pass }) => pass(at.stale as Uint8Array),
    swap: FOLLOWED.includes(message) ? deeds.swapWithNext : deeds.beforeInItsPlace,
    cross: deeds.exchange(),
    truncate: deeds.truncate,
    flip: deeds.flip,
    alert: deeds.refuse(TO_APP.includes(message) ? 'noc' : 'app'),
  };
  return { ...common, ...(own[message] ?? sealed)(at) }[deed];
}

type Own = (at: LinkAtHand) => Partial<Record<DeedName, Deed>>;

/** Records: nothing in them is named, and nothing can be made. */
const sealed: Own = () => ({ key: deeds.otherGcmSeal });

const start =
  (fields: (at: LinkAtHand) => Partial<wire.HandshakeStart>): Own =>
  (at) => ({ tenant: deeds.inItsPlace(({ bytes }) => deeds.withFields(bytes, fields(at))), key: deeds.otherEphemeralKey, version: deeds.lowerHandshake });
const reply: Own = ({ other: { sessionId } }) => ({
  tenant: deeds.inItsPlace(({ bytes }) => deeds.withFields(bytes, { sessionId })),
  key: deeds.otherEphemeralKey,
  version: deeds.lowerHandshake,
});
const finish: Own = ({ other: { sessionId } }) => ({
  tenant: deeds.inItsPlace(({ bytes }) => deeds.withFields(bytes, { sessionId })),
  key: deeds.otherMac,
  version: deeds.lowerFrame,
});

/** M2 as somebody makes it who has neither the session key nor the key of the Proxy. */
const ownReply = (): Uint8Array => {
  const ephemeralKey = nodeCrypto().p256PublicKey(random(32));
  return concatBytes(wire.handshakeReply.encode({ version: 1, suite: 1, ephemeralKey, random: random(32), sessionId: random(16) }), random(32));
};

const own: Readonly<Partial<Record<ConnectionMessage, Own>>> = {
  linkStart: start(({ other: { linkId } }) => ({ pskId: linkId })),
  linkReply: reply,
  linkFinish: finish,
  connect: ({ coreId, openOtherProxy }) => ({
    async tenant({ lead, answer }) {
      lead(await openOtherProxy());
      answer(wire.connected.encode({ to: 'proxy' }));
    },
    proxy: deeds.inItsPlace(() => wire.connectProxy.encode({ proxyId: coreId })),
    version: deeds.lowerFrame,
  }),
  connected: () => ({ proxy: deeds.inItsPlace(() => wire.connected.encode({ to: 'host' })), version: deeds.lowerFrame }),
  pxStart: (at) => ({
    ...start(({ other: { sessionKeyId, instanceId } }) => ({ pskId: sessionKeyId, instanceId }))(at),
    proxy: ({ answer }) => answer(ownReply()),
  }),
  pxReply: reply,
  pxFinish: finish,
};
