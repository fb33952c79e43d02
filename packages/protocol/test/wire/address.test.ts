import { describe, expect, it } from 'vitest';
import * as wire from '../../src/wire/index.ts';

/** A discovery answer with any text in place of the address, as a peer could send it. */
function answerWith(activationAddress: string): Uint8Array {
  const body = wire.encodeCbor(
    new Map<number, wire.CborValue>([
      [0, 1],
      [1, 'tenant'],
      [2, activationAddress],
      [3, []],
    ]),
  );
  const frame = wire.discoveryResponse
    .encode({ version: 1, tenantId: 't', activationAddress: 'a:1', spkiPins: [] })
    .slice(0, wire.FRAME_HEADER_BYTES + body.length);
  const whole = new Uint8Array(wire.FRAME_HEADER_BYTES + body.length);
  whole.set(frame.subarray(0, wire.FRAME_HEADER_BYTES));
  new DataView(whole.buffer).setUint32(4, body.length);
  whole.set(body, wire.FRAME_HEADER_BYTES);
  return whole;
}

const decode = (address: string): string => wire.discoveryResponse.decode(wire.parseFrame(answerWith(address))).activationAddress;

describe('an address in a message', () => {
  it.each(['uem.example:443', '127.0.0.1:1', '[::1]:65535', 'a_b-c.d:08'])('may be %s', (address) => {
    expect(decode(address)).toBe(address);
  });

  it.each(['abc', 'host:0', 'host:65536', 'host:443/path', 'user@host:443', 'ho st:443', '[::1]', '::1:443', 'host:443?q', 'host:-1', 'höst:443', ':443'])(
    'is not %s, in neither direction',
    (address) => {
      const refusal = expect.objectContaining({ code: 'ERR_WIRE_FIELD' });
      expect(() => decode(address)).toThrow(refusal);
      expect(() => wire.discoveryResponse.encode({ version: 1, tenantId: 't', activationAddress: address, spkiPins: [] })).toThrow(refusal);
    },
  );
});
