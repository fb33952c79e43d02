import {
  type CryptoProvider,
  type Entropy,
  fromHex,
  type HandshakeRequestResult,
  handshakeResponder,
  type Input,
  isProtocolError,
  keySchedule,
  ProtocolError,
  secret,
  type TransitionListener,
  wipe,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkRecord } from './noc-links.ts';

export interface LinkSessionOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Of the connection below. `none` only gets this far where policy allows it. */
  readonly binding: keySchedule.ChannelBinding;
  /** A link that may be used: activated, and not ended. */
  linkOf(linkId: Uint8Array): LinkRecord | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** What the connection has to do, in order. */
export type LinkEffect =
  | { readonly type: 'send'; readonly frame: Uint8Array }
  /** The link stands, and the app has said where it wants to. `rest` came after that and belongs to the other end. */
  | { readonly type: 'connect'; readonly target: LinkTarget; readonly link: LinkRecord; readonly rest: Uint8Array }
  /** Ends the connection, behind what was sent. */
  | { readonly type: 'fail'; readonly error: ProtocolError };

export type LinkTarget =
  | ({ readonly to: 'proxy' } & wire.ConnectProxy)
  | ({ readonly to: 'host' } & wire.ConnectHost)
  | ({ readonly to: 'push' } & wire.ConnectPush);

/** The NOC's end of a link up to `Connect` (F10.2, F10.3): bytes in, effects out. Nothing follows a `connect` or `fail`. */
export interface LinkSession {
  received(chunk: Uint8Array, nowMs: number): readonly LinkEffect[];
  /** The connection is gone: keys of a handshake that is not over are wiped. */
  closed(nowMs: number): void;
}

const { link: LINK } = keySchedule.HANDSHAKES;

/** Frames that an app sends here, with the length of their trailers; any other one ends the connection. */
const TRAILERS: Readonly<Partial<Record<wire.FrameName, number>>> = {
  alert: 0,
  handshakeStart: LINK.trailerBytes.start,
  handshakeFinish: LINK.trailerBytes.finish,
  connectProxy: 0,
  connectHost: 0,
  connectPush: 0,
};

export function linkSession(options: LinkSessionOptions): LinkSession {
  const { crypto, entropy, binding, linkOf, onTransition } = options;
  const machine = handshakeResponder({ name: 'link', crypto, entropy, onTransition });
  const parser = wire.frameParser({
    maxBodyBytes: wire.LIMITS.unauthenticatedBodyBytes,
    trailerBytes(name) {
      const bytes = TRAILERS[name];
      if (bytes === undefined) throw new ProtocolError('ERR_WIRE_TYPE', `${name} does not belong here`);
      return bytes;
    },
  });
  let link: LinkRecord | undefined;
  let isUp = false;
  let isOver = false;

  const handshake = (input: Input<HandshakeRequestResult>, nowMs: number): LinkEffect[] =>
    machine.handle(input, nowMs).flatMap((effect): LinkEffect[] => {
      switch (effect.type) {
        case 'send':
          return [{ type: 'send', frame: effect.frame }];
        case 'request':
          if (effect.request.type !== 'identify') return [];
          link = linkOf(effect.request.start.pskId as Uint8Array);
          return identified(link === undefined ? undefined : peerOf(link, binding), nowMs);
        case 'done':
          effect.output.wipe();
          isUp = true;
          return [];
        case 'fail':
          isOver = true;
          return [{ type: 'fail', error: effect.error }];
        default:
          return [];
      }
    });

  const identified = (peer: ReturnType<typeof peerOf> | undefined, nowMs: number): LinkEffect[] => {
    const effects = handshake({ type: 'result', result: { type: 'identified', peer } }, nowMs);
    wipe(peer?.psk);
    return effects;
  };

  const frame = (bytes: Uint8Array, rest: Uint8Array, nowMs: number): LinkEffect[] => {
    const target = targetOf(bytes);
    if (target === undefined) {
      // check: F10.2 one handshake, then Connect
      if (isUp) throw new ProtocolError('ERR_WIRE_TYPE', 'only Connect follows the handshake');
      return handshake({ type: 'received', frame: bytes }, nowMs);
    }
    // check: F10.2 the link stands before Connect
    if (!isUp || link === undefined) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'the link does not stand yet');
    isOver = true;
    return [{ type: 'connect', target, link, rest }];
  };

  return {
    received(chunk, nowMs) {
      const effects: LinkEffect[] = [];
      try {
        for (let rest = chunk; rest.length > 0 && !isOver; ) {
          const cut = parser.next(rest);
          rest = cut.rest;
          if (cut.frame !== undefined) effects.push(...frame(cut.frame, rest, nowMs));
        }
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        isOver = true;
        effects.push({ type: 'send', frame: wire.alert.encode({ code: 'badMessage' }) }, { type: 'fail', error });
      }
      return effects;
    },
    closed(nowMs) {
      isOver = true;
      machine.handle({ type: 'closed' }, nowMs);
    },
  };
}

function targetOf(bytes: Uint8Array): LinkTarget | undefined {
  const name = wire.peekFrameName(bytes);
  if (name === 'connectProxy') return { to: 'proxy', ...wire.connectProxy.decode(wire.parseFrame(bytes)) };
  if (name === 'connectHost') return { to: 'host', ...wire.connectHost.decode(wire.parseFrame(bytes)) };
  if (name === 'connectPush') return { to: 'push', ...wire.connectPush.decode(wire.parseFrame(bytes)) };
  return undefined;
}

function peerOf({ linkId, masterLinkKey }: LinkRecord, binding: keySchedule.ChannelBinding) {
  return { binding: { name: 'link', prologue: { binding, linkId: fromHex(linkId) } }, psk: secret<'psk'>(masterLinkKey.slice()) } as const;
}
