import { afterAll, describe, expect, it } from 'vitest';
import { concatBytes, sameBytes, utf8 } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { fromBase64url, fromHex, toHex } from '../../src/bytes/text.ts';
import { accessKeySalt, assistedAccessKey, nocHash, nocVerifier, setUpPsk, typedAccessKeyStretch } from '../../src/key-schedule/access-key.ts';
import { activationIdentities, activationKeys, activationTranscript } from '../../src/key-schedule/activation-schedule.ts';
import { passwordStretch, stretchQrSecret, verifierFromStretched, witnessFromStretched } from '../../src/key-schedule/activation-secret.ts';
import { prologueParts } from '../../src/key-schedule/handshake-prologue.ts';
import { createHandshakeSchedule, type HandshakeSchedule } from '../../src/key-schedule/handshake-schedule.ts';
import { binderMac, earlySecret, initiatorFinishedMac, nextSecret, responderFinishedMac, trafficKeys } from '../../src/key-schedule/handshake-secrets.ts';
import { deriveSecret, extract, NO_CONTEXT, ZERO_32 } from '../../src/key-schedule/kdf.ts';
import { proverSecrets, proverShare, verifierSecrets, verifierShare } from '../../src/key-schedule/spake2plus.ts';
import { mix, startTranscript } from '../../src/key-schedule/transcript.ts';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import { createGcmGeneration } from '../../src/record/gcm-key.ts';
import { createGcmOpener, createGcmSealer } from '../../src/record/gcm-record.ts';
import { load, PROVIDERS } from '../vectors/vectors.ts';

type Section = Readonly<Record<string, string>>;
interface KnownAnswers {
  readonly accessKey: { readonly userId: string; readonly accessKey: string; readonly assisted: Section; readonly manual: Section };
  readonly hc_px: Section;
  readonly hc_sc: Section;
  readonly record_cbc: Section;
  readonly record_gcm: Section;
  readonly activationQr: Section;
  readonly activation: Section;
}

const kat = load<KnownAnswers>('crypto-kat.json');
const DEFAULT_COST = { N: 32_768, r: 8, p: 1 };

/** Names of the values of a section that a test has compared; each section must be used up. */
const compared = new Map<string, Set<string>>();

function compare(name: string, section: Section, actual: Readonly<Record<string, Uint8Array>>): void {
  const seen = compared.get(name) ?? new Set();
  compared.set(name, seen);
  for (const [field, bytes] of Object.entries(actual)) {
    expect([field, toHex(bytes)]).toEqual([field, section[field]]);
    seen.add(field);
  }
}

function bytesOf(section: Section, field: string): Uint8Array {
  return fromHex(section[field] as string);
}

async function accessKeyPath(crypto: CryptoProvider, path: 'assisted' | 'manual'): Promise<void> {
  const { userId, accessKey } = kat.accessKey;
  const section = kat.accessKey[path];
  const stretch = typedAccessKeyStretch(crypto, accessKey, userId);
  const key =
    path === 'assisted'
      ? assistedAccessKey(crypto, accessKey, userId, bytesOf(section, 'nonce'))
      : secret<'access-key'>(await crypto.scrypt(stretch.password, stretch.salt, stretch.cost, stretch.lengthBytes));
  const hash = nocHash(crypto, key);
  compare(`accessKey.${path}`, section, {
    salt: accessKeySalt(crypto, userId),
    K_ak: key,
    akHash: hash,
    psk_sc: setUpPsk(crypto, key),
    nocVerifier: nocVerifier(crypto, hash),
  });
}

function handshake(crypto: CryptoProvider, name: 'px' | 'sc', section: Section): void {
  const [core1, core2, core3] = ['core1', 'core2', 'core3'].map((field) => bytesOf(section, field)) as [Uint8Array, Uint8Array, Uint8Array];
  const stated = section.prologue as unknown as readonly string[];
  const parts = stated.map((part) => (part.startsWith('hex:') ? fromHex(part.slice(4)) : utf8(part)));
  const built =
    name === 'sc'
      ? prologueParts('sc', { tenantId: 'tenant-1', coreId: 'core-1' })
      : prologueParts('px', {
          tenantId: 'tenant-1',
          proxyId: 'proxy-1',
          instanceId: parts[2] as Uint8Array,
          keyExchangeKey: crypto.p256PublicKey(bytesOf(section, 's_r_sk')),
        });
  expect(built).toEqual(parts);

  const psk = secret<'psk'>(bytesOf(section, 'psk'));
  const staticScalar = name === 'px' ? secret<'static-scalar'>(bytesOf(section, 's_r_sk')) : undefined;
  const publicKeys = [crypto.p256PublicKey(bytesOf(section, 'e_i_sk')), crypto.p256PublicKey(bytesOf(section, 'e_r_sk'))] as const;

  // The steps one by one.
  const h0 = startTranscript(crypto, `hs ${name}`, parts);
  const es = earlySecret(crypto, psk);
  const kb = deriveSecret(crypto, es, 'binder', h0, 32);
  const mac1 = binderMac(crypto, es, h0, mix(crypto, h0, core1));
  const h1 = mix(crypto, mix(crypto, h0, core1), mac1);
  compare(`hc_${name}`, section, { h0, es, ...(section.kb === undefined ? {} : { kb }), mac1, h1 });
  let secretSoFar: Uint8Array = es;
  if (staticScalar !== undefined) {
    secretSoFar = nextSecret(crypto, es, crypto.p256Ecdh(staticScalar, publicKeys[0]));
    compare(`hc_${name}`, section, { s1: secretSoFar });
  }
  const hs = nextSecret(crypto, secretSoFar, crypto.p256Ecdh(bytesOf(section, 'e_r_sk'), publicKeys[0]));
  const h2Core = mix(crypto, h1, core2);
  const mac2 = responderFinishedMac(crypto, hs, h2Core);
  const h2 = mix(crypto, h2Core, mac2);
  const ms = extract(crypto, deriveSecret(crypto, hs, 'derived', NO_CONTEXT, 32), ZERO_32);
  const keys = trafficKeys(crypto, hs, h2);
  const h3Core = mix(crypto, h2, core3);
  const mac3 = initiatorFinishedMac(crypto, hs, h3Core);
  compare(`hc_${name}`, section, { hs, mac2, h2, ms, mac3, h3: mix(crypto, h3Core, mac3) });
  compare(`hc_${name}`, section, { ts_i: keys.initiatorTraffic, ts_r: keys.responderTraffic, exp: keys.exporter });

  // The same through the schedule, both roles.
  const initiator = createHandshakeSchedule(crypto, name, parts, {
    role: 'initiator',
    psk,
    ...(staticScalar === undefined ? {} : { responderStaticKey: crypto.p256PublicKey(staticScalar) }),
  });
  const responder = createHandshakeSchedule(crypto, name, parts, { role: 'responder', psk, staticScalar });
  const ephemeral = (own: 0 | 1): Parameters<HandshakeSchedule['agree']>[0] => ({
    scalar: secret(bytesOf(section, own === 0 ? 'e_i_sk' : 'e_r_sk')),
    own: publicKeys[own],
    peer: publicKeys[1 - own] as Uint8Array,
  });
  expect(initiator.sealStart(core1)).toEqual(concatBytes(core1, mac1));
  responder.openStart(core1, mac1);
  initiator.agree(ephemeral(0));
  responder.agree(ephemeral(1));
  expect(responder.sealReply(core2)).toEqual(concatBytes(core2, mac2));
  initiator.openReply(core2, mac2);
  expect(initiator.sealFinish(core3)).toEqual(concatBytes(core3, mac3));
  responder.openFinish(core3, mac3);
  expect([initiator.takeKeys(), responder.takeKeys()]).toEqual([keys, keys]);
}

async function activation(crypto: CryptoProvider): Promise<void> {
  const section = kat.activation;
  const identity = { userId: section.userId as string, coreId: section.coreId as string };
  const salt = bytesOf(section, 'salt');
  const stretch = passwordStretch(section.password as string, identity, salt, DEFAULT_COST);
  const stretched = await crypto.scrypt(stretch.password, salt, stretch.cost, stretch.lengthBytes);
  const verifier = verifierFromStretched(crypto, stretched.slice());
  const witness = witnessFromStretched(stretched);
  if (witness === undefined || verifier === undefined) throw new Error('the stretched secret gives no witness');
  const [x, y] = [secret<'spake2-scalar'>(bytesOf(section, 'x')), secret<'spake2-scalar'>(bytesOf(section, 'y'))];
  const shares = { shareP: proverShare(crypto, witness.w0, x), shareV: verifierShare(crypto, verifier.w0, y) };
  const frame = (name: string): Uint8Array => bytesOf(section, name);
  const h2 = activationTranscript(crypto, frame('A1'), frame('A2'));
  const identities = activationIdentities(identity, h2);
  compare('activation', section, { w0: witness.w0, w1: witness.w1, L: verifier.L, h2, ...shares });
  const atDevice = proverSecrets(crypto, identities, witness, x, shares);
  const atServer = verifierSecrets(crypto, identities, verifier, y, shares);
  expect(atServer).toEqual(atDevice);
  compare('activation', section, { confirmP: atDevice.confirmP, confirmV: atDevice.confirmV, K_shared: atDevice.sharedKey });
  const keys = activationKeys(crypto, h2, frame('A3'), frame('A4'), atDevice.sharedKey);
  compare('activation', section, { h4: keys.transcript, ts_i: keys.initiatorTraffic, ts_r: keys.responderTraffic, pop: keys.possession });
  compare('activation', section, { ms: extract(crypto, keys.transcript, atServer.sharedKey) });
}

function activationQr(crypto: CryptoProvider): void {
  const section = kat.activationQr;
  const identity = { userId: section.userId as string, coreId: section.coreId as string };
  const stretched = stretchQrSecret(crypto, fromBase64url(section.secretText as string), identity, bytesOf(section, 'salt'));
  compare('activationQr', section, { w0s_w1s: stretched });
  const witness = witnessFromStretched(stretched);
  compare('activationQr', section, { w0: witness?.w0 as Uint8Array, w1: witness?.w1 as Uint8Array });
}

function cbcRecord(crypto: CryptoProvider): void {
  const section = kat.record_cbc;
  const traffic = secret<'traffic'>(bytesOf(section, 'ts'));
  const iv = bytesOf(section, 'iv');
  const options = { traffic, direction: 'initiator-to-responder', bornMs: 0 } as const;
  const record = createCbcSealer(crypto, { randomBytes: () => iv.slice() }, options).seal(bytesOf(section, 'pt'), 0);
  const parts = { aad: record.slice(0, 14), ct: record.slice(30, -32), tag: record.slice(-32) };
  compare('record_cbc', section, { key64: deriveSecret(crypto, traffic, 'cbc', NO_CONTEXT, 64), iv: record.slice(14, 30), ...parts });
  compare('record_cbc', section, { pt: createCbcOpener(crypto, options).open(record, 0) });
}

function gcmRecord(crypto: CryptoProvider): void {
  const section = kat.record_gcm;
  const traffic = secret<'traffic'>(bytesOf(section, 'ts'));
  const [sealer, opener] = [createGcmSealer(crypto, { traffic, bornMs: 0 }), createGcmOpener(crypto, { traffic, bornMs: 0 })];
  opener.open(sealer.sealData(new Uint8Array(0), 0), 0);
  const record = sealer.sealData(bytesOf(section, 'pt'), 0);
  const opened = opener.open(record, 0);
  compare('record_gcm', section, { aad: record.slice(0, 3), ct: record.slice(3), pt: opened.type === 'data' ? opened.plaintext : new Uint8Array(0) });
  const generation = createGcmGeneration(crypto, traffic);
  compare('record_gcm', section, { iv: generation.nonce(0).slice(), nonce: generation.nonce(1) });
  compare('record_gcm', section, {
    key: deriveSecret(crypto, traffic, 'key', NO_CONTEXT, 32),
    ts_next: deriveSecret(crypto, traffic, 'upd', NO_CONTEXT, 32),
  });
}

const SECTIONS: readonly (readonly [string, (crypto: CryptoProvider) => void | Promise<void>])[] = [
  ['accessKey.assisted', (crypto) => accessKeyPath(crypto, 'assisted')],
  ['accessKey.manual', (crypto) => accessKeyPath(crypto, 'manual')],
  ['hc_px', (crypto) => handshake(crypto, 'px', kat.hc_px)],
  ['hc_sc', (crypto) => handshake(crypto, 'sc', kat.hc_sc)],
  ['record_cbc', cbcRecord],
  ['record_gcm', gcmRecord],
  ['activationQr', activationQr],
  ['activation', activation],
];

describe.each(PROVIDERS)('crypto-kat.json through the key schedule, with $name', ({ crypto }) => {
  it.each(SECTIONS)('%s', async (_name, run) => {
    await run(crypto);
  });

  afterAll(() => {
    // What is not compared is an input, or (K_main) a value that never leaves SPAKE2+ and decides the four that are.
    const inputs = new Set(['e_i_sk', 'e_r_sk', 's_r_sk', 'core1', 'core2', 'core3', 'psk', 'prologue', 'ts', 'seq', 'dir', 'nonce', 'userId', 'coreId']);
    for (const field of ['secretText', 'salt', 'password', 'scrypt', 'A1', 'A2', 'A3', 'A4', 'x', 'y', 'K_main']) inputs.add(field);
    const sections: Record<string, Section> = { ...kat, 'accessKey.assisted': kat.accessKey.assisted, 'accessKey.manual': kat.accessKey.manual } as never;
    const left = SECTIONS.flatMap(([name]) =>
      Object.keys(sections[name] as Section)
        .filter((field) => !inputs.has(field) && !compared.get(name)?.has(field))
        .map((field) => `${name}.${field}`),
    );
    expect(left).toEqual([]);
    expect(SECTIONS).toHaveLength(8);
    expect(Object.keys(kat).sort()).toEqual(['accessKey', 'activation', 'activationQr', 'hc_px', 'hc_sc', 'note', 'record_cbc', 'record_gcm']);
    expect(sameBytes(ZERO_32, new Uint8Array(32))).toBe(true);
  });
});
