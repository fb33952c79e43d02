import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { gather } from './gather.ts';

/** What may wait for one side before the other one is not read any more. */
const HIGH_BYTES = 262_144;

/**
 * Passes bytes on both ways with back-pressure, until one of the two ends or breaks: then both end. What was received before an end is still passed on.
 * `ended` is called once. Nothing of it is looked at or kept.
 */
export function splice(a: Duplex, b: Duplex, ended: () => void): void {
  let left = 2;
  const one = (from: Duplex, to: Duplex): void => {
    from.on('data', (chunk: Uint8Array) => {
      gather(to);
      if (!to.write(chunk) && to.writableLength >= HIGH_BYTES) from.pause();
    });
    to.on('drain', () => from.resume());
    from.once('end', () => to.end());
    from.on('error', () => cutOff(to));
    from.once('close', () => {
      // A side that broke has no end to pass on.
      if (!from.readableEnded) cutOff(to);
      else if (!to.readableEnded) {
        // Nobody takes what that side still sends; what it was sent it may read first.
        to.removeAllListeners('data').resume();
        if (to.writableFinished) to.destroy();
        else to.once('finish', () => to.destroy());
      }
      left -= 1;
      if (left === 0) ended();
    });
    from.resume();
  };
  one(a, b);
  one(b, a);
}

/** What the other side has sent in this turn leaves first. A server that is not asked by TLS sees a broken connection, and no end. */
function cutOff(stream: Duplex): void {
  stream.uncork();
  if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy();
  else stream.destroy();
}
