import type { Duplex } from 'node:stream';

/**
 * Passes bytes on both ways with back-pressure, until one of the two ends or breaks: then both end. What was received before an end is still passed on.
 * `ended` is called once. Nothing of it is looked at or kept.
 */
export function splice(a: Duplex, b: Duplex, ended: () => void): void {
  let left = 2;
  const one = (from: Duplex, to: Duplex): void => {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.once('close', () => {
      // A side that broke has no end to pass on.
      if (!from.readableEnded) to.destroy();
      else if (!to.readableEnded) {
        // Nobody takes what that side still sends; what it was sent it may read first.
        to.resume();
        if (to.writableFinished) to.destroy();
        else to.once('finish', () => to.destroy());
      }
      left -= 1;
      if (left === 0) ended();
    });
  };
  one(a, b);
  one(b, a);
}
