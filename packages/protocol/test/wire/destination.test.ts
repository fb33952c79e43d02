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

it.each([
  '10.1',
  '0x0a000001',
  '167772161',
  '010.0.0.1',
  '10.0.0.0x1',
  '10.0.0.1.',
  '::ffff:10.0.0.1',
  '::FFFF:a00:1',
  '0::ffff:a00:1',
  'deny.example..',
  '.deny.example',
])('%s gets past no rule by its spelling', (host) => {
  const rules: readonly wire.Destination[] = [
    { host: '10.0.0.1', subdomains: false, allow: false },
    { host: 'deny.example', subdomains: true, allow: false },
    { host: '*', subdomains: false, allow: true },
  ];
  expect(wire.isDestination(rules, { host, port: 443 })).toBe(false);
  expect(wire.isDestination(rules, { host: '10.0.0.10', port: 443 })).toBe(true);
  expect(wire.isDestination(rules, { host: '8.example', port: 443 })).toBe(true);
});

it('a rule whose host has no form fits nothing', () => {
  const rules: readonly wire.Destination[] = [{ host: '10.1', subdomains: true, allow: true }];
  for (const host of ['10.1', '10.0.0.1', 'a.undefined', 'undefined']) expect(wire.isDestination(rules, { host, port: 443 })).toBe(false);
});

it('compares IPv6 addresses by value', () => {
  const rules: readonly wire.Destination[] = [
    { host: '2001:DB8::0001', subdomains: false, allow: false },
    { host: '::1', subdomains: false, allow: false },
    { host: '*', subdomains: false, allow: true },
  ];
  const allowed = (host: string): boolean => wire.isDestination(rules, { host, port: 443 });
  for (const host of [
    '2001:db8::1',
    '2001:db8:0:0:0:0:0:1',
    '0:0:0:0:0:0:0:1',
    '::0001',
    '::0.0.0.1',
    '1::2::3',
    ':::',
    '1:2:3',
    '1:2:3:4:5:6:7:8::',
    '::12345',
    '::1.2.3',
  ])
    expect([host, allowed(host)]).toEqual([host, false]);
  for (const host of ['2001:db8::2', '::2', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::']) expect([host, allowed(host)]).toEqual([host, true]);
});
