import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { parseFrame, parseFrameHeader, peekFrameName } from '../../src/wire/frame.ts';
import { FRAME_TYPES, frameName } from '../../src/wire/frame-types.ts';
import { acknowledgement, activationResult, LIMITS, notify, poll, registerUsers } from '../../src/wire/index.ts';
import { wireError } from './wire-errors.ts';

const frame = acknowledgement.encode({ ok: true });

describe('parseFrame', () => {
  it('takes a frame apart without copying', () => {
    expect(frame).toEqual(fromHex('0165000000000003a100f5'));
    const parsed = parseFrame(concatBytes(frame, Uint8Array.of(1, 2)), { trailerBytes: 2 });
    expect(parsed).toEqual({ name: 'acknowledgement', core: frame, body: fromHex('a100f5'), trailer: Uint8Array.of(1, 2) });
    expect(parseFrame(frame).core.buffer).toBe(frame.buffer);
  });

  it('works on a view that begins in the middle of its buffer', () => {
    const padded = concatBytes(Uint8Array.of(9, 9, 9), frame);
    expect(parseFrame(padded.subarray(3)).body).toEqual(fromHex('a100f5'));
  });

  it.each([
    ['ERR_WIRE_VERSION', 'another version', '0265000000000003a100f5'],
    ['ERR_WIRE_VERSION', 'version 0', '0065000000000003a100f5'],
    ['ERR_WIRE_VERSION', 'a flag', '0165000100000003a100f5'],
    ['ERR_WIRE_VERSION', 'another flag', '0165800000000003a100f5'],
    ['ERR_WIRE_TYPE', 'an unknown type', '01ff000000000003a100f5'],
    ['ERR_WIRE_TYPE', 'the type of a record', '0117000000000003a100f5'],
    ['ERR_WIRE_LIMIT', 'a body over the limit', '0165000000010001a100f5'],
    ['ERR_WIRE_LIMIT', 'a body of four gigabytes', '01650000ffffffffa100f5'],
    ['ERR_WIRE_TRUNCATED', 'a body that is longer than the frame', '0165000000000004a100f5'],
    ['ERR_WIRE_TRAILING', 'a body that is shorter than the frame', '0165000000000002a100f5'],
    ['ERR_WIRE_TRUNCATED', 'nothing', ''],
  ])('%s for %s', (code, _what, bytes) => {
    expect(wireError(() => parseFrame(fromHex(bytes)))?.code).toBe(code);
  });

  it('has the limit and the trailer of the exchange', () => {
    expect(wireError(() => parseFrame(frame, { maxBodyBytes: 2 }))?.code).toBe('ERR_WIRE_LIMIT');
    expect(parseFrame(frame, { maxBodyBytes: 3 }).name).toBe('acknowledgement');
    expect(wireError(() => parseFrame(frame, { trailerBytes: 1 }))?.code).toBe('ERR_WIRE_TRUNCATED');
    expect(wireError(() => parseFrame(concatBytes(frame, Uint8Array.of(1))))?.code).toBe('ERR_WIRE_TRAILING');
  });

  it('throws nothing but wire errors on any bytes, and names what it takes', () => {
    const header = fc
      .tuple(fc.constantFrom(0, 1, 2), fc.nat({ max: 255 }), fc.constantFrom(0, 1), fc.nat({ max: 12 }))
      .map(([version, type, flag, length]) => Uint8Array.of(version, type, 0, flag, 0, 0, 0, length));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.tuple(header, fc.uint8Array({ maxLength: 12 })).map((parts) => concatBytes(...parts)),
    );
    fc.assert(
      fc.property(bytes, fc.nat({ max: 4 }), (input, trailerBytes) => {
        let name: string | undefined;
        const error = wireError(() => {
          name = parseFrame(input, { trailerBytes }).name;
        });
        if (error === undefined) expect(peekFrameName(input)).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('frame types', () => {
  it('stand for one name each, and both ways', () => {
    const numbers = Object.values(FRAME_TYPES);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const [name, number] of Object.entries(FRAME_TYPES)) expect(frameName(number)).toBe(name);
  });

  it('leave free what is reserved for records and the tunnel', () => {
    for (const reserved of [0x17, 0x18, ...Array.from({ length: 16 }, (_, index) => 0x80 + index)]) expect(frameName(reserved)).toBeUndefined();
  });

  it('are seen from the header alone', () => {
    expect(peekFrameName(frame)).toBe('acknowledgement');
    expect(peekFrameName(frame.subarray(0, 7))).toBeUndefined();
    expect(peekFrameName(fromHex('0265000000000003'))).toBeUndefined();
    expect(peekFrameName(fromHex('01ff000000000003'))).toBeUndefined();
    expect(parseFrameHeader(frame.subarray(0, 8), 3)).toEqual({ name: 'acknowledgement', bodyBytes: 3 });
  });
});

describe('size of messages', () => {
  it('lets through the largest lists that a message names', () => {
    const notification = { token: new Uint8Array(LIMITS.pushTokenBytes), wakeUpId: new Uint8Array(16), expiresAtEpochS: 2 ** 40 };
    const full = { notifications: Array.from({ length: LIMITS.notifications }, () => notification) };
    expect(notify.decode(parseFrame(notify.encode(full)))).toEqual(full);
    const users = { tenantId: 't', activationAddress: 'a:1', add: Array.from({ length: 1_000 }, () => new Uint8Array(32)), remove: [], spkiPins: [] };
    expect(registerUsers.decode(parseFrame(registerUsers.encode(users)))).toEqual(users);
    const record = { record: new Uint8Array(LIMITS.bodyBytes - 64) };
    expect(activationResult.decode(parseFrame(activationResult.encode(record)))).toEqual(record);
  });

  it('refuses to send what the peer would refuse', () => {
    const hashes = Array.from({ length: 1_000 }, () => new Uint8Array(32));
    const users = { tenantId: 't', activationAddress: 'a:1', add: hashes, remove: hashes, spkiPins: [] };
    expect(wireError(() => registerUsers.encode(users))?.code).toBe('ERR_WIRE_LIMIT');
  });

  it('refuses to send values that the message does not allow', () => {
    expect(wireError(() => poll.encode({ reason: 'bored' as 'request' }))?.code).toBe('ERR_WIRE_FIELD');
    expect(wireError(() => poll.encode({ reason: 'request', wakeUpId: new Uint8Array(15) }))?.code).toBe('ERR_WIRE_LENGTH');
    expect(wireError(() => notify.encode({ notifications: [] }))?.code).toBe('ERR_WIRE_LENGTH');
  });
});
