import { expect, it } from 'vitest';
import * as wire from '../../src/wire/index.ts';
import { wireError } from './wire-errors.ts';

it.each(['a b', '[::1]', 'wiki.example/', 'user@wiki', 'w\u00f6rterbuch.example', 'x\n'])('%j is no host', (host) => {
  expect(wireError(() => wire.connectHost.encode({ host, port: 443 }))?.code).toBe('ERR_WIRE_FIELD');
});

it('lets the first rule that fits decide, and says no where none fits', () => {
  const rules: readonly wire.Destination[] = [
    { host: 'Corp.example', subdomains: true, port: 443, allow: true },
    { host: 'corp.example', subdomains: true, allow: false },
    { host: 'wiki.example', subdomains: false, allow: true },
  ];
  const allowed = (host: string, port: number): boolean => wire.isDestination(rules, { host, port });
  expect([allowed('a.corp.example.', 443), allowed('CORP.example', 443), allowed('wiki.example', 1)]).toEqual([true, true, true]);
  expect([allowed('a.corp.example', 80), allowed('acorp.example', 443), allowed('a.wiki.example', 1), allowed('other', 443)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(wire.isDestination([{ host: '*', subdomains: false, allow: true }], { host: 'any', port: 9 })).toBe(true);
});
