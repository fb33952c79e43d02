import { afterAll, describe, expect, it } from 'vitest';
import { secret } from '../../src/bytes/secret.ts';
import { fromBase64url, fromHex, toHex } from '../../src/bytes/text.ts';
import { activationIdentities, activationKeys, activationTranscript, possessionChallenge } from '../../src/key-schedule/activation-schedule.ts';
import {
  fakeSalt,
  passwordStretch,
  requireScryptCost,
  stretchQrSecret,
  verifierFromStretched,
  witnessFromStretched,
} from '../../src/key-schedule/activation-secret.ts';
import { proverSecrets, proverShare, verifierSecrets, verifierShare } from '../../src/key-schedule/spake2plus.ts';
import { mix, startTranscript } from '../../src/key-schedule/transcript.ts';
import { canonicalUserId } from '../../src/key-schedule/user-id.ts';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import * as wire from '../../src/wire/index.ts';
import { load, PROVIDERS } from '../vectors/vectors.ts';

type Hex = Readonly<Record<string, string>>;
interface Case {
  readonly id: string;
  readonly inputs: Hex & { readonly kind: wire.SecretKind; readonly cost: readonly number[]; readonly ivs: readonly [string, string] };
  readonly values: Hex;
  readonly frames: Readonly<Record<'A1' | 'A2' | 'A3' | 'A4' | 'A5' | 'A6', string>> & Readonly<Partial<Record<'A7' | 'A7 declined', string>>>;
  readonly qrCode?: string;
}

const { cases } = load<{ readonly cases: readonly Case[] }>('uemkit/activation.json');

/** Decodes a frame and checks that it is encoded again to the same bytes. */
function read<T>(codec: wire.MessageCodec<T>, hex: string): T {
  const message = codec.decode(wire.parseFrame(fromHex(hex)));
  expect(toHex(codec.encode(message))).toBe(hex);
  return message;
}

async function stretch(crypto: CryptoProvider, { inputs, values }: Case, salt: Uint8Array, cost: readonly number[]): Promise<Uint8Array> {
  const identity = { userId: values.userId as string, coreId: inputs.coreId as string };
  if (inputs.kind === 'qr') return stretchQrSecret(crypto, fromHex(inputs.secret as string), identity, salt);
  const request = passwordStretch(inputs.secret as string, identity, salt, requireScryptCost(cost));
  return crypto.scrypt(request.password, request.salt, request.cost, request.lengthBytes);
}

describe.each(PROVIDERS)('vectors of the second implementation, activation, with $name', ({ crypto }) => {
  let executed = 0;
  let refused = 0;

  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', async (_id, vector) => {
    const { inputs, values, frames } = vector;
    const userId = canonicalUserId(inputs.userIdTyped as string);
    const frame = (name: 'A1' | 'A2' | 'A3' | 'A4'): Uint8Array => fromHex(frames[name]);
    const scalar = (name: 'x' | 'y') => secret<'spake2-scalar'>(fromHex(inputs[name] as string));

    const a1 = read(wire.activationStart, frames.A1);
    expect([a1.userId, a1.secretKind, values.userId]).toEqual([userId, inputs.kind, userId]);
    const a2 = read(wire.activationParameters, frames.A2);
    const stretched = await stretch(crypto, vector, a2.salt, a2.cost);
    expect(toHex(stretched)).toBe(values.stretched);
    expect(toHex(fakeSalt(crypto, secret(fromHex(inputs.fakeKey as string)), userId, inputs.kind))).toBe(values.fakeSalt);

    const verifier = verifierFromStretched(crypto, stretched.slice());
    const witness = witnessFromStretched(stretched);
    if (verifier === undefined || witness === undefined) throw new Error('no witness');
    expect([witness.w0, witness.w1, verifier.w0, verifier.L].map(toHex)).toEqual([values.w0, values.w1, values.w0, values.L]);
    expect(toHex(stretched)).toBe('00'.repeat(80));

    const shares = { shareP: proverShare(crypto, witness.w0, scalar('x')), shareV: verifierShare(crypto, verifier.w0, scalar('y')) };
    const h0 = startTranscript(crypto, 'hs act', []);
    expect([h0, mix(crypto, h0, frame('A1'))].map(toHex)).toEqual([values.h0, values.h1]);
    const h2 = activationTranscript(crypto, frame('A1'), frame('A2'));
    const identities = activationIdentities({ userId, coreId: a2.coreId }, h2);
    const atDevice = proverSecrets(crypto, identities, witness, scalar('x'), shares);
    expect(verifierSecrets(crypto, identities, verifier, scalar('y'), shares)).toEqual(atDevice);
    const derived = { ...shares, h2, confirmP: atDevice.confirmP, confirmV: atDevice.confirmV, K_shared: atDevice.sharedKey };
    for (const [name, bytes] of Object.entries(derived)) expect([name, toHex(bytes)]).toEqual([name, values[name]]);
    expect(read(wire.activationShare, frames.A3)).toEqual({ activationId: a2.activationId, shareP: shares.shareP });
    expect(read(wire.activationShareReply, frames.A4)).toEqual({ shareV: shares.shareV, confirmV: atDevice.confirmV });

    const keys = activationKeys(crypto, h2, frame('A3'), frame('A4'), atDevice.sharedKey);
    expect(toHex(atDevice.sharedKey)).toBe('00'.repeat(32));
    expect([keys.transcript, keys.initiatorTraffic, keys.responderTraffic, keys.possession].map(toHex)).toEqual(
      ['h4', 'initiatorTraffic', 'responderTraffic', 'possession'].map((name) => values[name]),
    );
    expect(possessionChallenge(keys.possession)).toBe(values.challenge);

    const a5 = read(wire.activationRequest, frames.A5);
    expect(toHex(a5.confirmP)).toBe(values.confirmP);
    const a6 = read(wire.activationResult, frames.A6);
    const content = [
      { record: a5.record, traffic: keys.initiatorTraffic, direction: 'initiator-to-responder', plaintext: values.requestContent as string, iv: inputs.ivs[0] },
      { record: a6.record, traffic: keys.responderTraffic, direction: 'responder-to-initiator', plaintext: values.outcomeContent as string, iv: inputs.ivs[1] },
    ] as const;
    for (const { record, traffic, direction, plaintext, iv } of content) {
      expect(toHex(createCbcOpener(crypto, { traffic, direction, bornMs: 0 }).open(record, 0))).toBe(plaintext);
      const sealer = createCbcSealer(crypto, { randomBytes: () => fromHex(iv) }, { traffic, direction, bornMs: 0 });
      expect(sealer.seal(fromHex(plaintext), 0)).toEqual(record);
    }
    const request = wire.activationRequestContent.decodeBody(fromHex(values.requestContent as string));
    expect(toHex(wire.activationRequestContent.encodeBody(request))).toBe(values.requestContent);
    const outcome = wire.decodeActivationOutcome(fromHex(values.outcomeContent as string));
    expect(toHex(wire.encodeActivationOutcome(outcome))).toBe(values.outcomeContent);
    if (wire.isActivationRefused(outcome)) {
      expect(outcome).toEqual({ refusal: 'osTooOld', message: 'version 16 or later is needed' });
      expect([a1.secretSlot, request.activationTypes]).toEqual([2, ['work-and-personal-full-control', 'work-space-only']]);
      refused++;
    } else {
      expect(read(wire.activationDone, frames.A7 as string)).toEqual({ deviceId: outcome.deviceId, status: 'completed' });
      expect(read(wire.activationDone, frames['A7 declined'] as string)).toEqual({ deviceId: outcome.deviceId, status: 'declined' });
    }
    if (vector.qrCode !== undefined) {
      const scanned = wire.qrCode.decode(wire.decodeCbor(fromBase64url(vector.qrCode)), 'qrCode');
      expect([scanned.userId, scanned.coreId, toHex(scanned.secret)]).toEqual([userId, inputs.coreId, inputs.secret]);
    }
    executed++;
  });

  afterAll(() => {
    expect([executed, refused]).toEqual([4, 1]);
    expect(cases.filter((vector) => vector.qrCode !== undefined)).toHaveLength(1);
  });
});
