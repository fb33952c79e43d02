import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes/text.ts';
import { type ChainQuestion, verifyChain, verifyIssued } from '../../src/x509/chain.ts';
import { deviceX509 } from '../../src/x509/device-certificates.ts';
import {
  AUTHORITY,
  crypto,
  DAY_MS,
  DEVICE_ID,
  DEVICE_KEY,
  deviceCertificate,
  issue,
  leafPurpose,
  NOW_MS,
  ROOT,
  rootCertificate,
  testKey,
} from './authority.ts';

const question = (change: Partial<ChainQuestion> = {}): ChainQuestion => ({
  certificates: [deviceCertificate()],
  roots: [rootCertificate()],
  usage: 'clientAuth',
  nowMs: NOW_MS,
  publicKey: DEVICE_KEY.publicKey,
  ...change,
});

const between = { commonName: 'Lab devices', key: testKey('intermediate') };
const stranger = { commonName: 'Lab root', key: testKey('stranger') };
const betweenCertificate = (change: object = {}): Uint8Array =>
  issue({ issuer: ROOT, commonName: between.commonName, key: between.key, purpose: { kind: 'authority', pathLength: 0 }, ...change });

describe('chain of certificates', () => {
  it('accepts a leaf under a root, and one under an intermediate', () => {
    expect(verifyChain(crypto, question()).commonName).toBe(DEVICE_ID);
    expect(verifyChain(crypto, question({ certificates: [deviceCertificate({ issuer: between }), betweenCertificate()] })).commonName).toBe(DEVICE_ID);
  });

  it('accepts any of several roots', () => {
    const other = rootCertificate({ commonName: 'Other root', key: testKey('other') });
    expect(verifyChain(crypto, question({ roots: [other, rootCertificate()] })).commonName).toBe(DEVICE_ID);
  });

  const refusals: Readonly<Record<string, [string, Partial<ChainQuestion>]>> = {
    'no certificate': ['ERR_CERTIFICATE_CHAIN', { certificates: [] }],
    'three certificates': ['ERR_CERTIFICATE_CHAIN', { certificates: [deviceCertificate(), betweenCertificate(), rootCertificate()] }],
    'no root': ['ERR_CERTIFICATE_CHAIN', { roots: [] }],
    'a root of the same name with another key': ['ERR_CERTIFICATE_CHAIN', { roots: [rootCertificate(stranger)] }],
    'a signature by somebody else': ['ERR_CERTIFICATE_CHAIN', { certificates: [deviceCertificate({ signer: stranger.key })] }],
    'an intermediate that somebody else signed': [
      'ERR_CERTIFICATE_CHAIN',
      { certificates: [deviceCertificate({ issuer: between }), betweenCertificate({ signer: stranger.key })] },
    ],
    'an intermediate that is a leaf': [
      'ERR_CERTIFICATE_CHAIN',
      { certificates: [deviceCertificate({ issuer: between }), betweenCertificate({ purpose: leafPurpose() })] },
    ],
    'an intermediate under a root that allows none': [
      'ERR_CERTIFICATE_CHAIN',
      { certificates: [deviceCertificate({ issuer: between }), betweenCertificate()], roots: [rootCertificate(ROOT, { kind: 'authority', pathLength: 0 })] },
    ],
    'an intermediate that is not the issuer': ['ERR_CERTIFICATE_CHAIN', { certificates: [deviceCertificate(), betweenCertificate()] }],
    'a root that is a leaf': ['ERR_CERTIFICATE_CHAIN', { roots: [rootCertificate(ROOT, leafPurpose())] }],
    'an authority as the leaf': ['ERR_CERTIFICATE_CHAIN', { certificates: [betweenCertificate()], publicKey: between.key.publicKey }],
    'another purpose': ['ERR_CERTIFICATE_CHAIN', { usage: 'serverAuth' }],
    'another key': ['ERR_CERTIFICATE_CHAIN', { publicKey: testKey('else').publicKey }],
    'a leaf that is expired': [
      'ERR_CERTIFICATE_VALIDITY',
      {
        nowMs: NOW_MS + 366 * DAY_MS,
        roots: [issue({ issuer: ROOT, commonName: ROOT.commonName, key: ROOT.key, purpose: AUTHORITY, notAfterMs: NOW_MS + 999 * DAY_MS })],
      },
    ],
    'a leaf that is not valid yet': ['ERR_CERTIFICATE_VALIDITY', { certificates: [deviceCertificate({ notBeforeMs: NOW_MS + 1_000 })] }],
    'a root that is expired': [
      'ERR_CERTIFICATE_VALIDITY',
      { roots: [issue({ issuer: ROOT, commonName: ROOT.commonName, key: ROOT.key, purpose: AUTHORITY, notAfterMs: NOW_MS - 1_000 })] },
    ],
    'an intermediate that is expired': [
      'ERR_CERTIFICATE_VALIDITY',
      { certificates: [deviceCertificate({ issuer: between }), betweenCertificate({ notAfterMs: NOW_MS - 1_000 })] },
    ],
    'bytes that are no certificate': ['ERR_CERTIFICATE_FORMAT', { certificates: [Uint8Array.of(1, 2, 3)] }],
  };

  it.each(Object.entries(refusals))('refuses %s', (_, [code, change]) => {
    expect(() => verifyChain(crypto, question(change))).toThrow(expect.objectContaining({ code }));
  });

  it('is valid to the second at both ends', () => {
    const certificates = [deviceCertificate({ notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 1_000 })];
    for (const nowMs of [NOW_MS, NOW_MS + 1_000]) expect(verifyChain(crypto, question({ certificates, nowMs })).commonName).toBe(DEVICE_ID);
    for (const nowMs of [NOW_MS - 1, NOW_MS + 1_001]) {
      expect(() => verifyChain(crypto, question({ certificates, nowMs }))).toThrow(expect.objectContaining({ code: 'ERR_CERTIFICATE_VALIDITY' }));
    }
  });
});

describe('certificate that a device was issued', () => {
  const issued = { certificates: [deviceCertificate()], tenantRoots: [rootCertificate()], publicKey: DEVICE_KEY.publicKey, deviceId: DEVICE_ID, nowMs: NOW_MS };

  it('is accepted when key and id are its own', () => {
    expect(verifyIssued(crypto, issued).serial).toBe('123456');
    expect(() => deviceX509(crypto).checkIssued(issued)).not.toThrow();
  });

  it.each([
    ['another device id', { ...issued, deviceId: 'ffffffff-5a0d-4c3e-9b1f-2d6a7e8c9f01' }],
    [
      'a name that says otherwise',
      { ...issued, certificates: [deviceCertificate({ purpose: leafPurpose({ uris: ['urn:uuid:ffffffff-5a0d-4c3e-9b1f-2d6a7e8c9f01'] }) })] },
    ],
    ['a second name', { ...issued, certificates: [deviceCertificate({ purpose: leafPurpose({ uris: [`urn:uuid:${DEVICE_ID}`, 'urn:uuid:x'] }) })] }],
    ['no name', { ...issued, certificates: [deviceCertificate({ purpose: leafPurpose({ uris: [] }) })] }],
  ])('is refused with %s', (_, change) => {
    expect(() => verifyIssued(crypto, change)).toThrow(expect.objectContaining({ code: 'ERR_CERTIFICATE_CHAIN' }));
  });
});

it('makes keys identifiers and serial numbers that differ', () => {
  expect(toHex(deviceCertificate())).not.toBe(toHex(deviceCertificate({ serial: Uint8Array.of(1) })));
  expect(() => deviceCertificate({ serial: Uint8Array.of(0x80) })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  expect(() => deviceCertificate({ serial: new Uint8Array(21).fill(1) })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
});
