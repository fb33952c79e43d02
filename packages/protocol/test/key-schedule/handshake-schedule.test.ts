import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts';
import { type SecretBytes, secret } from '../../src/bytes/secret.ts';
import { toHex } from '../../src/bytes/text.ts';
import { HANDSHAKES } from '../../src/key-schedule/handshake-instances.ts';
import { createHandshakeSchedule, type HandshakeSchedule } from '../../src/key-schedule/handshake-schedule.ts';
import { wipeHandshakeKeys } from '../../src/key-schedule/handshake-secrets.ts';
import { randomScalar } from '../../src/key-schedule/scalar.ts';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import type { HandshakeName } from '../../src/wire/handshake.ts';
import { PROVIDERS, thrown } from '../vectors/vectors.ts';

const NAMES = Object.keys(HANDSHAKES) as HandshakeName[];
const native = nodeCrypto();

interface Pair {
  readonly initiator: HandshakeSchedule;
  readonly responder: HandshakeSchedule;
  readonly signer: SecretBytes<'signer'>;
  readonly signerKey: Uint8Array;
  readonly e_i: SecretBytes<'ephemeral-scalar'>;
  readonly e_r: SecretBytes<'ephemeral-scalar'>;
  readonly E_i: Uint8Array;
  readonly E_r: Uint8Array;
}

interface Differences {
  readonly psk?: boolean;
  readonly staticKey?: boolean;
  readonly prologue?: boolean;
  readonly name?: HandshakeName;
}

/** Two schedules that know the same, but for `different`. */
function pair(name: HandshakeName, different: Differences = {}, crypto: CryptoProvider = native): Pair {
  const entropy = seededEntropy(`pair ${name}`);
  const table = HANDSHAKES[name];
  const [e_i, e_r, s_r, signer] = [0, 0, 0, 0].map(() => randomScalar(entropy)) as never as [
    Pair['e_i'],
    Pair['e_r'],
    SecretBytes<'static-scalar'>,
    Pair['signer'],
  ];
  const psk = table.psk ? secret<'psk'>(entropy.randomBytes(32)) : undefined;
  const prologue = table.prologue.map((part) => utf8(part));
  const otherPsk = table.psk ? secret<'psk'>(entropy.randomBytes(32)) : undefined;
  const otherStatic = randomScalar<'static-scalar'>(entropy);
  return {
    initiator: createHandshakeSchedule(crypto, name, prologue, {
      role: 'initiator',
      psk,
      responderStaticKey: table.staticKey ? crypto.p256PublicKey(s_r) : undefined,
    }),
    responder: createHandshakeSchedule(crypto, different.name ?? name, different.prologue ? prologue.toReversed() : prologue, {
      role: 'responder',
      psk: different.psk ? otherPsk : psk,
      staticScalar: table.staticKey ? (different.staticKey ? otherStatic : s_r) : undefined,
    }),
    signer,
    signerKey: crypto.p256PublicKey(signer),
    e_i,
    e_r,
    E_i: crypto.p256PublicKey(e_i),
    E_r: crypto.p256PublicKey(e_r),
  };
}

const [CORE1, CORE2, CORE3] = [utf8('core of M1'), utf8('core of M2'), utf8('core of M3')];

function trailer(frame: Uint8Array, core: Uint8Array): Uint8Array {
  return frame.subarray(core.length);
}

function sign(name: HandshakeName, { responder, signer }: Pair, core: Uint8Array, crypto: CryptoProvider = native): Uint8Array | undefined {
  return HANDSHAKES[name].signature ? crypto.p256Sign(signer, responder.replySignatureText(core)) : undefined;
}

function agreeBoth({ initiator, responder, e_i, e_r, E_i, E_r }: Pair): void {
  initiator.agree({ scalar: e_i, own: E_i, peer: E_r });
  responder.agree({ scalar: e_r, own: E_r, peer: E_i });
}

/** Runs to the end; `tamper` may change each message on its way. */
function run(name: HandshakeName, both: Pair, tamper: (message: 1 | 2 | 3, trailer: Uint8Array) => Uint8Array = (_, bytes) => bytes, crypto = native): void {
  const { initiator, responder } = both;
  const m1 = initiator.sealStart(CORE1);
  responder.openStart(CORE1, tamper(1, trailer(m1, CORE1)));
  agreeBoth(both);
  const m2 = responder.sealReply(CORE2, sign(name, both, CORE2, crypto));
  initiator.openReply(CORE2, tamper(2, trailer(m2, CORE2)), both.signerKey);
  const m3 = initiator.sealFinish(CORE3);
  responder.openFinish(CORE3, tamper(3, trailer(m3, CORE3)));
}

describe.each(PROVIDERS)('handshake core with $name', ({ crypto }) => {
  it.each(NAMES)('%s: both roles end with the same keys, different in each direction', (name) => {
    const both = pair(name, {}, crypto);
    run(name, both, undefined, crypto);
    const keys = both.initiator.takeKeys();
    expect(both.responder.takeKeys()).toEqual(keys);
    expect(new Set([keys.initiatorTraffic, keys.responderTraffic, keys.exporter].map(toHex)).size).toBe(3);
    wipeHandshakeKeys(keys);
    expect([keys.initiatorTraffic, keys.responderTraffic, keys.exporter].map(toHex)).toEqual(Array(3).fill('00'.repeat(32)));
    for (const schedule of [both.initiator, both.responder]) expect(thrown(() => schedule.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

describe('key confirmation', () => {
  const tampered: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
    ['its first bit flipped', (bytes) => bytes.map((byte, at) => (at === 0 ? byte ^ 0x80 : byte))],
    ['its last bit flipped', (bytes) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))],
    ['a byte missing', (bytes) => bytes.subarray(0, -1)],
    ['a byte more', (bytes) => concatBytes(bytes, Uint8Array.of(0))],
    ['nothing left', () => new Uint8Array(0)],
  ];

  it.each(NAMES.flatMap((name) => tampered.map(([what, change]) => [name, what, change] as const)))('%s: refuses each MAC with %s', (name, what, change) => {
    for (const message of [1, 2, 3] as const) {
      if (message === 1 && !HANDSHAKES[name].psk && what !== 'a byte more') continue;
      const both = pair(name);
      const error = thrown(() => run(name, both, (at, bytes) => (at === message ? change(bytes) : bytes)));
      expect(error).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION', message: 'the handshake is not confirmed' });
      const dead = message === 2 ? both.initiator : both.responder;
      expect(thrown(() => dead.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
    }
  });

  it.each(NAMES)('%s: refuses a core that was changed on its way', (name) => {
    const atM1 = pair(name);
    atM1.initiator.sealStart(CORE1);
    const m1 = pair(name).initiator.sealStart(CORE1);
    // Without a psk nothing protects M1 itself; mac2 covers it.
    const early = thrown(() => atM1.responder.openStart(utf8('core of M0'), trailer(m1, CORE1)));
    if (HANDSHAKES[name].psk) expect(early).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
    else {
      agreeBoth(atM1);
      const m2 = atM1.responder.sealReply(CORE2, sign(name, atM1, CORE2));
      expect(thrown(() => atM1.initiator.openReply(CORE2, trailer(m2, CORE2), atM1.signerKey))).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
    }
    const atM3 = pair(name);
    atM3.responder.openStart(CORE1, trailer(atM3.initiator.sealStart(CORE1), CORE1));
    agreeBoth(atM3);
    const m2 = atM3.responder.sealReply(CORE2, sign(name, atM3, CORE2));
    atM3.initiator.openReply(CORE2, trailer(m2, CORE2), atM3.signerKey);
    const m3 = atM3.initiator.sealFinish(CORE3);
    expect(thrown(() => atM3.responder.openFinish(utf8('core of M4'), trailer(m3, CORE3)))).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
  });

  it.each(NAMES)('%s: another prologue on one side is never confirmed', (name) => {
    expect(thrown(() => run(name, pair(name, { prologue: true })))).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
  });

  it.each(['sc', 'link', 'px', 'dc', 'svc'] as const)('%s: another psk fails at mac1', (name) => {
    const both = pair(name, { psk: true });
    expect(thrown(() => both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1)))).toMatchObject({
      code: 'ERR_CRYPTO_KEY_CONFIRMATION',
    });
  });

  it.each(['px', 'dc'] as const)('%s: whoever knows the psk but not the static key cannot confirm as responder', (name) => {
    const both = pair(name, { staticKey: true });
    both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1));
    agreeBoth(both);
    const m2 = both.responder.sealReply(CORE2);
    expect(thrown(() => both.initiator.openReply(CORE2, trailer(m2, CORE2)))).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
  });

  it('the same inputs under the name of another instance are not confirmed', () => {
    const both = pair('ipcd', { name: 'ipc' });
    both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1));
    agreeBoth(both);
    const m2 = both.responder.sealReply(CORE2, native.p256Sign(both.signer, both.responder.replySignatureText(CORE2)));
    expect(thrown(() => both.initiator.openReply(CORE2, m2.slice(-32)))).toMatchObject({ code: 'ERR_CRYPTO_KEY_CONFIRMATION' });
  });
});

describe('signature of ipc', () => {
  const toReply = () => {
    const both = pair('ipc');
    both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1));
    agreeBoth(both);
    return both;
  };

  it('of another key is refused although mac2 fits', () => {
    const both = toReply();
    const stranger = randomScalar(seededEntropy('stranger'));
    const m2 = both.responder.sealReply(CORE2, native.p256Sign(stranger, both.responder.replySignatureText(CORE2)));
    expect(thrown(() => both.initiator.openReply(CORE2, trailer(m2, CORE2), both.signerKey))).toMatchObject({ code: 'ERR_CRYPTO_SIGNATURE' });
    expect(thrown(() => both.initiator.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('over another transcript is refused', () => {
    const both = toReply();
    const m2 = both.responder.sealReply(CORE2, native.p256Sign(both.signer, both.responder.replySignatureText(utf8('core of another M2'))));
    expect(thrown(() => both.initiator.openReply(CORE2, trailer(m2, CORE2), both.signerKey))).toMatchObject({ code: 'ERR_CRYPTO_SIGNATURE' });
  });

  it('needs the key of the signer', () => {
    const both = toReply();
    const m2 = both.responder.sealReply(CORE2, sign('ipc', both, CORE2));
    expect(thrown(() => both.initiator.openReply(CORE2, trailer(m2, CORE2)))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('must be there, with 64 bytes, in ipc and nowhere else', () => {
    for (const signature of [undefined, new Uint8Array(63), new Uint8Array(65)]) {
      expect(thrown(() => toReply().responder.sealReply(CORE2, signature))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
    const plain = pair('ipcd');
    plain.responder.openStart(CORE1, trailer(plain.initiator.sealStart(CORE1), CORE1));
    agreeBoth(plain);
    expect(thrown(() => plain.responder.sealReply(CORE2, new Uint8Array(64)))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });
});

describe('public keys', () => {
  const started = (name: HandshakeName) => {
    const both = pair(name);
    both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1));
    return both;
  };
  const bad = (point: Uint8Array): readonly (readonly [string, Uint8Array])[] => [
    ['compressed', Uint8Array.of(2 + ((point[64] as number) & 1), ...point.subarray(1, 33))],
    ['hybrid', Uint8Array.of(6 + ((point[64] as number) & 1), ...point.subarray(1))],
    ['off the curve', point.map((byte, at) => (at === 64 ? byte ^ 1 : byte))],
    ['empty', new Uint8Array(0)],
    ['too long', concatBytes(point, Uint8Array.of(0))],
  ];

  it.each(NAMES)('%s: a bad or reflected key of the peer ends the run and wipes the scalar', (name) => {
    const template = started(name);
    for (const [, point] of [...bad(template.E_r), ['reflected', template.E_i] as const]) {
      const both = started(name);
      expect(thrown(() => both.initiator.agree({ scalar: both.e_i, own: both.E_i, peer: point }))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
      expect(toHex(both.e_i)).toBe('00'.repeat(32));
      expect(thrown(() => both.initiator.agree({ scalar: both.e_r, own: both.E_i, peer: both.E_r }))).toMatchObject({ code: 'ERR_USAGE_STATE' });
    }
    for (const [, point] of [...bad(template.E_i), ['reflected', template.E_r] as const]) {
      const both = started(name);
      expect(thrown(() => both.responder.agree({ scalar: both.e_r, own: both.E_r, peer: point }))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
      expect(toHex(both.e_r)).toBe('00'.repeat(32));
    }
  });

  it('a static key in another form is refused', () => {
    const { E_r, E_i, e_i } = pair('px');
    for (const [, point] of bad(E_r)) {
      const parts = HANDSHAKES.px.prologue.map((part) => utf8(part));
      const initiator = createHandshakeSchedule(native, 'px', parts, { role: 'initiator', psk: secret(new Uint8Array(32).fill(1)), responderStaticKey: point });
      initiator.sealStart(CORE1);
      const keys = { scalar: secret<'ephemeral-scalar'>(e_i.slice()), own: E_i, peer: E_r };
      expect(thrown(() => initiator.agree(keys))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
    }
  });

  it('are checked before a provider that would take other forms sees them', () => {
    const lax: CryptoProvider = { ...native, p256Ecdh: () => new Uint8Array(32).fill(1) };
    const { E_r, E_i, e_i } = pair('px');
    const agreement = (staticKey: Uint8Array, peer: Uint8Array) => () => {
      const parts = HANDSHAKES.px.prologue.map((part) => utf8(part));
      const initiator = createHandshakeSchedule(lax, 'px', parts, {
        role: 'initiator',
        psk: secret(new Uint8Array(32).fill(1)),
        responderStaticKey: staticKey,
      });
      initiator.sealStart(CORE1);
      initiator.agree({ scalar: secret(e_i.slice()), own: E_i, peer });
    };
    for (const [, point] of bad(E_r).filter(([what]) => what !== 'off the curve')) {
      expect(thrown(agreement(E_r, point))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
      expect(thrown(agreement(point, E_r))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
    }
    agreement(E_r, E_r)();
  });

  it('a wiped ephemeral scalar cannot agree', () => {
    const both = started('ipcd');
    both.e_i.fill(0);
    expect(thrown(() => both.initiator.agree({ scalar: both.e_i, own: both.E_i, peer: both.E_r }))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
  });
});

describe('what a run is made of', () => {
  it.each(NAMES)('%s: keys and prologue must fit the table', (name) => {
    const table = HANDSHAKES[name];
    const parts = table.prologue.map((part) => utf8(part));
    const psk = secret<'psk'>(new Uint8Array(32).fill(1));
    const point = native.p256PublicKey(psk);
    const attempts = [
      () =>
        createHandshakeSchedule(native, name, parts, {
          role: 'initiator',
          psk: table.psk ? undefined : psk,
          responderStaticKey: table.staticKey ? point : undefined,
        }),
      () =>
        createHandshakeSchedule(native, name, parts, {
          role: 'initiator',
          psk: table.psk ? psk : undefined,
          responderStaticKey: table.staticKey ? undefined : point,
        }),
      () =>
        createHandshakeSchedule(native, name, parts, {
          role: 'responder',
          psk: table.psk ? psk : undefined,
          staticScalar: table.staticKey ? undefined : secret(psk),
        }),
      () =>
        createHandshakeSchedule(native, name, parts.slice(1), {
          role: 'responder',
          psk: table.psk ? psk : undefined,
          staticScalar: table.staticKey ? secret(psk) : undefined,
        }),
    ];
    for (const attempt of attempts) expect(thrown(attempt)).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('a psk that has been wiped is refused', () => {
    const attempt = () => createHandshakeSchedule(native, 'sc', [utf8('t'), utf8('c')], { role: 'initiator', psk: secret(new Uint8Array(32)) });
    expect(thrown(attempt)).toMatchObject({ code: 'ERR_INTERNAL' });
  });

  it('the psk stays with its holder', () => {
    const psk = secret<'psk'>(new Uint8Array(32).fill(5));
    const schedule = createHandshakeSchedule(native, 'sc', [utf8('t'), utf8('c')], { role: 'initiator', psk });
    schedule.sealStart(CORE1);
    schedule.wipe();
    expect(toHex(psk)).toBe('05'.repeat(32));
    expect(thrown(() => schedule.sealStart(CORE1))).toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

describe('order of the steps', () => {
  type Step = (schedule: HandshakeSchedule, both: Pair) => unknown;
  const STEPS: Readonly<Record<string, Step>> = {
    sealStart: (schedule) => schedule.sealStart(CORE1),
    openStart: (schedule) => schedule.openStart(CORE1, new Uint8Array(0)),
    agree: (schedule, { e_i, E_i, E_r }) => schedule.agree({ scalar: secret(e_i.slice()), own: E_i, peer: E_r }),
    replySignatureText: (schedule) => schedule.replySignatureText(CORE2),
    sealReply: (schedule) => schedule.sealReply(CORE2),
    openReply: (schedule) => schedule.openReply(CORE2, new Uint8Array(32)),
    sealFinish: (schedule) => schedule.sealFinish(CORE3),
    openFinish: (schedule) => schedule.openFinish(CORE3, new Uint8Array(32)),
    takeKeys: (schedule) => schedule.takeKeys(),
  };
  const allowed: Readonly<Record<'initiator' | 'responder', readonly (readonly string[])[]>> = {
    initiator: [['sealStart'], ['agree'], ['openReply'], ['sealFinish', 'takeKeys'], ['takeKeys']],
    responder: [['openStart'], ['agree'], ['replySignatureText', 'sealReply'], ['openFinish'], ['takeKeys']],
  };
  /** Brings a pair to the point before step `phase`. */
  const at = (phase: number): Pair => {
    const both = pair('ipcd');
    if (phase > 0) both.responder.openStart(CORE1, trailer(both.initiator.sealStart(CORE1), CORE1));
    if (phase > 1) agreeBoth({ ...both, e_i: secret(both.e_i.slice()), e_r: secret(both.e_r.slice()) });
    if (phase > 2) both.initiator.openReply(CORE2, trailer(both.responder.sealReply(CORE2), CORE2));
    if (phase > 3) both.responder.openFinish(CORE3, trailer(both.initiator.sealFinish(CORE3), CORE3));
    return both;
  };

  it.each(['initiator', 'responder'] as const)('%s: any other step than the next is refused, and the run goes on', (role) => {
    let refused = 0;
    for (let phase = 0; phase < 5; phase++) {
      for (const [name, step] of Object.entries(STEPS)) {
        if (allowed[role][phase]?.includes(name)) continue;
        const both = at(phase);
        expect([phase, name, (thrown(() => step(both[role], both)) as { code?: string } | undefined)?.code]).toEqual([phase, name, 'ERR_USAGE_STATE']);
        if (phase === 4) both[role].takeKeys();
        refused++;
      }
    }
    expect(refused).toBe(5 * 9 - allowed[role].flat().length);
  });

  it('keys come out once, for the responder only after mac3', () => {
    const both = at(3);
    expect(thrown(() => both.responder.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
    both.initiator.takeKeys();
    expect(thrown(() => both.initiator.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
    both.responder.openFinish(CORE3, trailer(both.initiator.sealFinish(CORE3), CORE3));
    expect(thrown(() => both.initiator.takeKeys())).toMatchObject({ code: 'ERR_USAGE_STATE' });
    both.responder.takeKeys();
  });
});

describe('any run', () => {
  it('has a transcript in which no byte can move from one part to the next', () => {
    const cores = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(cores, cores, ([a, b], [c, d]) => {
        fc.pre(toHex(a) !== toHex(c) || toHex(b) !== toHex(d));
        const start = (first: Uint8Array, second: Uint8Array): string => {
          const schedule = createHandshakeSchedule(native, 'sc', [first, second], { role: 'initiator', psk: secret(new Uint8Array(32).fill(1)) });
          return toHex(schedule.sealStart(CORE1));
        };
        expect(start(a, b)).not.toBe(start(c, d));
      }),
    );
  });
});
