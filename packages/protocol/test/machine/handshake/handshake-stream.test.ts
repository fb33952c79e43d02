import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, handshakeStream } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { CHANNELS, type ChannelName, converse, pair } from '../key-hand-over/key-hand-over-bench.ts';

/** Whole run of a channel: what the app sends (M1, M3, a record), and what it gets (M2, a record). */
function run(name: ChannelName): { readonly fromApp: readonly Uint8Array[]; readonly toApp: readonly Uint8Array[] } {
  const [m1, m2, m3, request, response] = converse(pair(name)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { fromApp: [m1, m3, request], toApp: [m2, response] };
}

describe.each(CHANNELS)('a stream of %s', (name) => {
  const { fromApp, toApp } = run(name);

  it.each([
    ['initiator', fromApp],
    ['responder', toApp],
  ] as const)('gives what the %s sent, however the reads split it', (sender, sent) => {
    const stream = concatBytes(...sent);
    const whole = handshakeStream(name, sender);
    expect(whole.push(stream)).toEqual(sent);
    whole.end();
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(stream.length), { maxLength: 12 }), (places) => {
        const cut = handshakeStream(name, sender);
        const ends = [...places.sort((a, b) => a - b), stream.length];
        expect(ends.flatMap((end, index) => cut.push(stream.subarray(ends[index - 1] ?? 0, end)))).toEqual(sent);
        cut.end();
      }),
    );
  });

  it('gives an alert in place of a handshake frame', () => {
    const alert = wire.alert.encode({ code: 'busy' });
    expect(handshakeStream(name, 'responder').push(alert)).toEqual([alert]);
    expect(handshakeStream(name, 'initiator').push(alert)).toEqual([alert]);
  });

  it('refuses frames of the other side and of other exchanges, and stays refused', () => {
    for (const [sender, frame] of [
      ['initiator', toApp[0]],
      ['responder', fromApp[0]],
      ['initiator', wire.poll.encode({ reason: 'request' })],
    ] as const) {
      const stream = handshakeStream(name, sender);
      expect(() => stream.push(frame as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TYPE' }));
      expect(() => stream.push(frame as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TYPE' }));
    }
  });

  it('takes no frame once records have begun, and bounds a frame by its header', () => {
    const stream = handshakeStream(name, 'initiator');
    stream.push(concatBytes(...fromApp));
    expect(() => stream.push(fromApp[0] as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TYPE' }));
    const long = Uint8Array.of(1, 0x20, 0, 0, 0, 0, 0x40, 1);
    expect(() => handshakeStream(name, 'initiator').push(long)).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LIMIT' }));
  });

  it('says when it ends inside a frame or a record', () => {
    const ends = (bytes: Uint8Array): (() => void) => {
      const stream = handshakeStream(name, 'initiator');
      stream.push(bytes);
      return () => stream.end();
    };
    expect(ends((fromApp[0] as Uint8Array).subarray(0, 9))).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TRUNCATED' }));
    expect(ends(concatBytes(...fromApp).subarray(0, -1))).toThrow(expect.objectContaining({ code: 'ERR_TRANSPORT_CLOSED' }));
    expect(ends(concatBytes(...fromApp))).not.toThrow();
  });
});
