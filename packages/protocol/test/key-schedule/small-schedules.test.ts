import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { toHex } from '../../src/bytes/text.ts';
import {
  assistedAccessKey,
  formatAccessKey,
  generateAccessKey,
  nocHash,
  normalizeAccessKey,
  requireAccessKey,
  setUpPsk,
  typedAccessKeyStretch,
} from '../../src/key-schedule/access-key.ts';
import { HANDSHAKES } from '../../src/key-schedule/handshake-instances.ts';
import { platformId, prologueParts } from '../../src/key-schedule/handshake-prologue.ts';
import { deriveSecret, NO_CONTEXT } from '../../src/key-schedule/kdf.ts';
import { HASH_LABELS, labelBytes, SECRET_LABELS } from '../../src/key-schedule/labels.ts';
import { openNocToken, sealNocToken, TOKEN_BYTES } from '../../src/key-schedule/noc-token.ts';
import { isSameSpace, platformIdParts } from '../../src/key-schedule/platform-id.ts';
import { gatewayTunnelKey, proxyPsk, tunnelPsk } from '../../src/key-schedule/proxy-keys.ts';
import { servicePsk } from '../../src/key-schedule/service-keys.ts';
import { canonicalUserId, requireCanonicalUserId, userIdHash } from '../../src/key-schedule/user-id.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import { thrown } from '../vectors/vectors.ts';

const crypto = nodeCrypto();
const key32 = new Uint8Array(32).fill(1);

describe('labels', () => {
  it('are all different, so that no two derivations share a key', () => {
    const all = [...Object.values(SECRET_LABELS), ...Object.values(HASH_LABELS), ...Object.keys(HANDSHAKES).map((name) => `hs ${name}`)];
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(21 + 10 + 7);
    expect(new TextDecoder().decode(labelBytes('binder'))).toBe('uemkit/1 binder');
  });
});

describe('XL', () => {
  it('gives another secret for another label, context or length', () => {
    const all = [
      deriveSecret(crypto, key32, 'binder', NO_CONTEXT, 32),
      deriveSecret(crypto, key32, 'derived', NO_CONTEXT, 32),
      deriveSecret(crypto, key32, 'binder', new Uint8Array(32), 32),
      deriveSecret(crypto, key32, 'binder', NO_CONTEXT, 64).subarray(0, 32),
    ];
    expect(new Set(all.map(toHex)).size).toBe(4);
  });

  it.each([1, 31, 33])('refuses a context of %d bytes', (lengthBytes) => {
    expect(thrown(() => deriveSecret(crypto, key32, 'binder', new Uint8Array(lengthBytes), 32))).toMatchObject({ code: 'ERR_INTERNAL' });
  });

  it('refuses a secret that has been wiped, and an empty one', () => {
    for (const gone of [new Uint8Array(32), new Uint8Array(0)]) {
      expect(thrown(() => deriveSecret(crypto, gone, 'binder', NO_CONTEXT, 32))).toMatchObject({ code: 'ERR_INTERNAL' });
    }
  });
});

describe('user id', () => {
  it.each([
    [' Alice@Example.COM\t', 'alice@example.com'],
    ['E\u0301MILE', '\u00e9mile'],
    ['\u00c9mile', '\u00e9mile'],
    ['STRASSE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['I', 'i'],
    ['\u212a', 'k'],
    ['a b', 'a b'],
    ['\u00a0a', '\u00a0a'],
  ])('%j becomes %j', (typed, canonical) => {
    expect(canonicalUserId(typed)).toBe(canonical);
  });

  it.each([[''], [' \t '], ['\ud800x'], ['x'.repeat(255)], [`${' '.repeat(1_024)}x`], ['é'.repeat(128)]])('refuses %#', (typed) => {
    expect(thrown(() => canonicalUserId(typed))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(thrown(() => requireCanonicalUserId(typed))).toMatchObject({ code: 'ERR_WIRE_FIELD' });
  });

  it('takes the longest', () => {
    expect(canonicalUserId(` ${'x'.repeat(254)} `)).toHaveLength(254);
  });

  it('refuses input that is too long before its spaces are looked at', () => {
    expect(thrown(() => canonicalUserId(`alice${' '.repeat(1_024)}`))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('comes over the wire in its canonical form only', () => {
    requireCanonicalUserId('alice@example.com');
    for (const other of ['Alice@example.com', ' alice', 'e\u0301'])
      expect(thrown(() => requireCanonicalUserId(other))).toMatchObject({ code: 'ERR_WIRE_FIELD' });
  });

  it('is canonical once and for all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (typed) => {
        fc.pre(/[^ \t]/.test(typed));
        const canonical = canonicalUserId(typed);
        expect(canonicalUserId(canonical)).toBe(canonical);
        requireCanonicalUserId(canonical);
        expect(canonicalUserId(`\t${typed} `)).toBe(canonical);
      }),
    );
  });

  it('is known to the NOC by a hash of its own', () => {
    expect(toHex(userIdHash(crypto, 'alice'))).not.toBe(toHex(userIdHash(crypto, 'bob')));
    expect(userIdHash(crypto, 'alice')).not.toEqual(crypto.sha256(utf8('alice')));
  });
});

describe('access key', () => {
  it('has 15 characters, each equally likely', () => {
    const counts = new Map<string, number>();
    let next = 0;
    const everyByteInTurn = { randomBytes: (lengthBytes: number) => Uint8Array.from({ length: lengthBytes }, () => next++ % 256) };
    for (let i = 0; i < 256; i++) for (const character of generateAccessKey(everyByteInTurn)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect([...counts.keys()].sort().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
    expect([...new Set(counts.values())]).toEqual([120]);
    expect(formatAccessKey('0123456789ABCDE')).toBe('01234-56789-ABCDE');
    expect(formatAccessKey('')).toBe('');
  });

  it.each([
    ['01234-56789-ABCDE'],
    ['01234 56789 abcde'],
    ['o1234-56789-ABCDE'],
    ['OI234-56789-ABCDE'],
    ['oL234-56789-abcde'],
    [' 0-i-2-3-4-5-6-7-8-9-a-b-c-d-e '],
  ])('is forgiving about %j', (typed) => {
    expect(normalizeAccessKey(typed)).toBe('0123456789ABCDE');
  });

  it.each([
    [''],
    ['0123456789ABCD'],
    ['0123456789ABCDEF'],
    ['0123456789ABCDU'],
    ['0123456789ABCD\u0131'],
    ['0123456789ABCD\u017f'],
    ['0123456789ABCD\n'],
    ['\uff10123456789ABCDE'],
    [`0123456789ABCDE${' '.repeat(50)}`],
  ])('refuses %j', (typed) => {
    expect(thrown(() => normalizeAccessKey(typed))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('is taken from the wire in its one form only', () => {
    requireAccessKey('0123456789ABCDE');
    for (const other of ['0123456789abcde', 'O123456789ABCDE', '01234-56789-ABCDE', '0123456789ABCD', '0123456789ABCDEF', ''])
      expect(thrown(() => requireAccessKey(other))).toMatchObject({ code: 'ERR_WIRE_FIELD' });
  });

  it('reads back what it shows', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const accessKey = generateAccessKey(seededEntropy(seed));
        expect(normalizeAccessKey(formatAccessKey(accessKey).toLowerCase())).toBe(accessKey);
      }),
      { numRuns: 50 },
    );
  });

  it('goes into keys in its one form only', () => {
    const nonce = new Uint8Array(32).fill(1);
    expect(thrown(() => assistedAccessKey(crypto, '01234-56789-ABCDE', 'alice', nonce))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(thrown(() => typedAccessKeyStretch(crypto, '0123456789abcde', 'alice'))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(thrown(() => assistedAccessKey(crypto, '0123456789ABCDE', 'alice', new Uint8Array(0)))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('gives other secrets for another user, nonce or key, and the hash for the NOC is not the key of sc', () => {
    const nonce = new Uint8Array(32).fill(1);
    const all = [
      assistedAccessKey(crypto, '0123456789ABCDE', 'alice', nonce),
      assistedAccessKey(crypto, '0123456789ABCDE', 'bob', nonce),
      assistedAccessKey(crypto, '0123456789ABCDF', 'alice', nonce),
      assistedAccessKey(crypto, '0123456789ABCDE', 'alice', new Uint8Array(32).fill(2)),
    ];
    const derived = all.flatMap((key) => [key, nocHash(crypto, key), setUpPsk(crypto, key)].map(toHex));
    expect(new Set(derived).size).toBe(12);
  });
});

describe('token of the NOC', () => {
  const key = secret<'noc-token'>(new Uint8Array(32).fill(7));
  const said = { tokenId: new Uint8Array(16).fill(1), linkId: new Uint8Array(16).fill(2), expiryEpochS: 1_800_000_000 };
  const token = sealNocToken(crypto, key, said, 'tenant-1');
  const now = said.expiryEpochS - 1;

  it('says what was put in, until it expires', () => {
    expect(token).toHaveLength(TOKEN_BYTES);
    expect(openNocToken(crypto, key, token, 'tenant-1', now)).toEqual(said);
  });

  it('is refused alike when it is changed, cut, of another tenant, of another key, or too old', () => {
    const attempts = [
      ...Array.from(
        token,
        (_, at) => () =>
          openNocToken(
            crypto,
            key,
            token.map((byte, i) => (i === at ? byte ^ 1 : byte)),
            'tenant-1',
            now,
          ),
      ),
      () => openNocToken(crypto, key, token.subarray(1), 'tenant-1', now),
      () => openNocToken(crypto, key, new Uint8Array(0), 'tenant-1', now),
      () => openNocToken(crypto, key, token, 'tenant-2', now),
      () => openNocToken(crypto, secret(new Uint8Array(32).fill(8)), token, 'tenant-1', now),
      () => openNocToken(crypto, key, token, 'tenant-1', said.expiryEpochS),
    ];
    expect(attempts).toHaveLength(TOKEN_BYTES + 5);
    for (const attempt of attempts) expect(thrown(attempt)).toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS', message: 'token is not valid' });
  });

  it('is made from ids of 16 bytes', () => {
    for (const bad of [
      { ...said, tokenId: new Uint8Array(15) },
      { ...said, linkId: new Uint8Array(17) },
    ]) {
      expect(thrown(() => sealNocToken(crypto, key, bad, 'tenant-1'))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
  });
});

describe('keys of Proxies and tunnels', () => {
  it('differ for each Proxy, gateway and tunnel', () => {
    const session = secret<'master-session'>(key32);
    const tunnel = secret<'tunnel'>(key32);
    const signal = { tunnelId: new Uint8Array(16), initiatorNonce: new Uint8Array(32), responderNonce: new Uint8Array(32) };
    const gateways = ['gw-1', 'gw-2'].map((id) => gatewayTunnelKey(crypto, tunnel, id));
    const all = [
      ...['proxy-1', 'proxy-2', 'gw-1'].map((id) => proxyPsk(crypto, session, id)),
      ...gateways,
      ...gateways.map((gateway) => tunnelPsk(crypto, gateway, signal)),
      ...(['tunnelId', 'initiatorNonce', 'responderNonce'] as const).map((name) =>
        tunnelPsk(crypto, gateways[0] as (typeof gateways)[0], { ...signal, [name]: signal[name].slice().fill(1) }),
      ),
    ];
    expect(new Set(all.map(toHex)).size).toBe(all.length);
  });

  it('need ids and nonces of their length', () => {
    const gateway = gatewayTunnelKey(crypto, secret(key32), 'gw-1');
    const signal = { tunnelId: new Uint8Array(16), initiatorNonce: new Uint8Array(32), responderNonce: new Uint8Array(32) };
    for (const name of ['tunnelId', 'initiatorNonce', 'responderNonce'] as const) {
      expect(thrown(() => tunnelPsk(crypto, gateway, { ...signal, [name]: new Uint8Array(31) }))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
  });
});

describe('prologue', () => {
  const [linkId, instanceId, exporter] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2), new Uint8Array(32).fill(3)];
  const keyExchangeKey = crypto.p256PublicKey(key32);
  const proxy = { tenantId: 't', proxyId: 'p', instanceId, keyExchangeKey };
  const bound = { kind: 'tls-exporter', value: exporter } as const;

  it('has as many parts as the table says, in its order', () => {
    const local = { initiatorPlatformId: 'a', responderPlatformId: 'b' };
    const parts = {
      ipc: prologueParts('ipc', local),
      ipcd: prologueParts('ipcd', local),
      sc: prologueParts('sc', { tenantId: 't', coreId: 'c' }),
      link: prologueParts('link', { binding: bound, linkId }),
      px: prologueParts('px', proxy),
      dc: prologueParts('dc', { ...proxy, binding: bound, serverKeyHash: exporter }),
      svc: prologueParts('svc', { ...local, tenantId: 't', instanceId, responderInstanceId: linkId }),
    };
    for (const [name, list] of Object.entries(parts)) expect([name, list.length]).toEqual([name, HANDSHAKES[name as keyof typeof parts].prologue.length]);
    expect(parts.ipc).toEqual([utf8('a'), utf8('b')]);
    expect(parts.dc).toEqual([utf8('tls-exporter'), exporter, exporter, utf8('t'), utf8('p'), instanceId, keyExchangeKey]);
    expect(parts.svc).toEqual([utf8('a'), utf8('b'), utf8('t'), instanceId, linkId]);
    expect(prologueParts('link', { binding: { kind: 'none' }, linkId })).toEqual([utf8('none'), new Uint8Array(0), linkId]);
  });

  it('refuses empty ids and bytes of another length', () => {
    const short = new Uint8Array(15);
    const attempts = [
      () => prologueParts('ipc', { initiatorPlatformId: '', responderPlatformId: 'b' }),
      () => prologueParts('ipcd', { initiatorPlatformId: 'a', responderPlatformId: '' }),
      () => prologueParts('sc', { tenantId: 't', coreId: '' }),
      () => prologueParts('sc', { tenantId: '', coreId: 'c' }),
      () => prologueParts('link', { binding: { kind: 'tls-exporter', value: short }, linkId }),
      () => prologueParts('link', { binding: bound, linkId: short }),
      () => prologueParts('px', { ...proxy, proxyId: '' }),
      () => prologueParts('px', { ...proxy, instanceId: short }),
      () => prologueParts('px', { ...proxy, keyExchangeKey: short }),
      () => prologueParts('dc', { ...proxy, binding: bound, serverKeyHash: short }),
      () => prologueParts('svc', { initiatorPlatformId: 'a', responderPlatformId: '', tenantId: 't', instanceId, responderInstanceId: linkId }),
      () => prologueParts('svc', { initiatorPlatformId: 'a', responderPlatformId: 'b', tenantId: '', instanceId, responderInstanceId: linkId }),
      () => prologueParts('svc', { initiatorPlatformId: 'a', responderPlatformId: 'b', tenantId: 't', instanceId: short, responderInstanceId: linkId }),
      () => prologueParts('svc', { initiatorPlatformId: 'a', responderPlatformId: 'b', tenantId: 't', instanceId, responderInstanceId: short }),
      () => servicePsk(crypto, secret(key32), short, linkId),
      () => servicePsk(crypto, secret(key32), linkId, short),
    ];
    for (const attempt of attempts) expect(thrown(attempt)).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('names apps by platform, package and signer', () => {
    expect(platformId('android', 'com.example.mail', new Uint8Array(32).fill(0xab))).toBe(`android:com.example.mail:${'ab'.repeat(32)}`);
    for (const attempt of [
      () => platformId('Android', 'com.example', new Uint8Array(32)),
      () => platformId('android:x', 'com.example', new Uint8Array(32)),
      () => platformId('android', 'com:example', new Uint8Array(32)),
      () => platformId('android', '', new Uint8Array(32)),
      () => platformId('android', 'com.example', new Uint8Array(31)),
    ]) {
      expect(thrown(attempt)).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
  });

  it('finds the parts of a platform id again, and apps of one space', () => {
    const signer = 'ab'.repeat(32);
    const mail = platformId('samsung-knox', 'com.example.mail', new Uint8Array(32).fill(0xab));
    expect(platformIdParts(mail)).toEqual({ platform: 'samsung-knox', packageName: 'com.example.mail', signer });
    const none = [
      '',
      'android:com.example.mail',
      `Android:com.example.mail:${signer}`,
      `android::${signer}`,
      `android:a:${signer}0`,
      `android:a:${signer.toUpperCase()}`,
    ];
    expect(none.map(platformIdParts)).toEqual(none.map(() => undefined));
    expect(isSameSpace(mail, `samsung-knox:com.example.chat:${signer}`)).toBe(true);
    for (const other of [`android:com.example.chat:${signer}`, 'samsung-knox', ''])
      expect([isSameSpace(mail, other), isSameSpace(other, mail)]).toEqual([false, false]);
    expect(isSameSpace('nothing', 'nothing')).toBe(false);
  });
});

describe('instances of the handshake core', () => {
  it('have the trailers and limits of the specification', () => {
    const rows = Object.values(HANDSHAKES).map(({ name, trailerBytes, bodyBytes }) => [name, ...Object.values(trailerBytes), ...Object.values(bodyBytes)]);
    expect(rows).toEqual([
      ['ipc', 0, 96, 32, 4_096, 16_384, 16_384],
      ['ipcd', 0, 32, 32, 4_096, 4_096, 16_384],
      ['sc', 32, 32, 32, 4_096, 4_096, 16_384],
      ['link', 32, 32, 32, 4_096, 4_096, 16_384],
      ['px', 32, 32, 32, 4_096, 4_096, 16_384],
      ['dc', 32, 32, 32, 4_096, 4_096, 16_384],
      ['svc', 32, 32, 32, 4_096, 4_096, 16_384],
    ]);
  });
});
