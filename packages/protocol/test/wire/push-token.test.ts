import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes/bytes.ts';
import { PUSH_SERVICES, pushAddressOf, pushTokenOf } from '../../src/wire/index.ts';

describe('a push token', () => {
  it.each(PUSH_SERVICES)('names service %s and the address there', (service) => {
    const address = { service, address: 'https://127.0.0.1:6/?token=a%3D:b' };
    expect(pushAddressOf(pushTokenOf(address))).toEqual(address);
  });

  it.each([
    ['another service', 'web:0123456789abcdef'],
    ['no service', '0123456789abcdef'],
    ['no address', 'apns:'],
    ['a line break in the address', 'fcm:0123456789\r\nhost: a'],
    ['a space in the address', 'fcm:0123456789 abcdef'],
    ['a letter outside ASCII', 'fcm:0123456789ä'],
  ])('with %s is none', (_what, text) => {
    expect(pushAddressOf(utf8(text))).toBeUndefined();
  });

  it('of bytes that are no text is none', () => {
    expect(pushAddressOf(new Uint8Array(32).fill(0xff))).toBeUndefined();
  });
});
