import { handshakeStream, isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';

const MAC_BYTES = 32;
const TRAILERS: Readonly<Partial<Record<wire.FrameName, number>>> = { handshakeStart: MAC_BYTES, handshakeReply: MAC_BYTES, handshakeFinish: MAC_BYTES };
const UP = ['open', 'dataUp', 'endUp'];
const DOWN = ['opened', 'dataDown', 'endDown'];
const CORE_UP = ['updateRequest', 'updateReport'];
const CORE_DOWN = ['update'];
const DATA = 23;
const CLOSE = 21;

/** Cuts one direction of a link into its messages, as a NOC can: the frames of the link, then those of `px`, then records by their kind and number. */
export function cutter(direction: 'up' | 'down', isCore: () => boolean, cut: (message: string, bytes: Uint8Array) => void): (chunk: Uint8Array) => void {
  const isUp = direction === 'up';
  const link = wire.frameParser({ maxBodyBytes: wire.LIMITS.bodyBytes, trailerBytes: (name) => TRAILERS[name] ?? 0 });
  const px = handshakeStream('px', isUp ? 'initiator' : 'responder');
  let isThrough = false;
  let records = 0;

  const linkName = (bytes: Uint8Array): string => {
    const name = wire.peekFrameName(bytes);
    if (name === 'handshakeStart') return 'linkStart';
    if (name === 'handshakeReply') return 'linkReply';
    if (name === 'handshakeFinish') return 'linkFinish';
    if (name === 'connectProxy') return 'connect';
    return name ?? 'unknown';
  };
  const pxName = (bytes: Uint8Array): string => {
    const [first] = bytes;
    if (first === DATA) {
      const names = isCore() ? (isUp ? CORE_UP : CORE_DOWN) : isUp ? UP : DOWN;
      return names[records++] ?? `more${isUp ? 'Up' : 'Down'}`;
    }
    if (first === CLOSE) return isUp ? 'closeUp' : isCore() ? 'updateDone' : 'closeDown';
    const name = wire.peekFrameName(bytes);
    if (name === 'handshakeStart') return 'pxStart';
    if (name === 'handshakeReply') return 'pxReply';
    if (name === 'handshakeFinish') return 'pxFinish';
    return name ?? (isUp ? 'keyUpdateUp' : 'keyUpdateDown');
  };

  return (chunk) => {
    let rest = new Uint8Array(chunk);
    try {
      while (rest.length > 0 && !isThrough) {
        const next = link.next(rest);
        rest = next.rest.slice();
        if (next.frame === undefined) continue;
        const name = linkName(next.frame);
        isThrough = name === 'connect' || name === 'connected';
        cut(name, next.frame.slice());
      }
      for (const bytes of isThrough ? px.push(rest) : []) cut(pxName(bytes), bytes.slice());
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      cut('unknown', rest);
    }
  };
}
