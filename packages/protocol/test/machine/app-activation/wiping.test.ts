import { describe, expect, it } from 'vitest';
import { type AppActivationRecord, appActivationInitiator, ProtocolError } from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto, watchedPlaintexts } from '../../watched-crypto.ts';
import { AppBench, ASSISTED, beforeLiar, CoreBench, converse, DEVICE, KEY_ID, NOW_MS, provisioning, TYPED, Way } from './app-activation-bench.ts';

/** Both sides, each with a provider that is watched. UEM's psk belongs to its owner. */
function watched(key = ASSISTED as typeof ASSISTED | typeof TYPED) {
  const [ofApp, ofCore] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
  const [atApp, atCore] = [watchedPlaintexts(ofApp.crypto), watchedPlaintexts(ofCore.crypto)];
  const core = new CoreBench({ crypto: atCore.crypto }).add(KEY_ID, key);
  const app = new AppBench({ key, crypto: atApp.crypto });
  return {
    app,
    core,
    way: new Way(core, key),
    atApp,
    atCore,
    seen: () => [ofApp.seen > 10, ofCore.seen > 10],
    leftAtApp: (...owned: readonly (Uint8Array | undefined)[]) => ofApp.left(...owned),
    leftAtCore: () => ofCore.left(core.keys.values().next().value?.facts.psk),
  };
}

const isWiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('the activation of an app leaves in memory', () => {
  it.each([
    ['a typed key', TYPED],
    ['an assisted key', ASSISTED],
  ])('nothing at its end, with %s', (_what, key) => {
    const run = watched(key);
    converse(run.app.start(), run.way);
    expect(run.app.machine.state).toBe('activated');
    expect(run.seen()).toEqual([true, true]);
    expect([run.leftAtApp(), run.leftAtCore()]).toEqual([[], []]);
    const stretches = run.app.effects.flatMap((effect) =>
      effect.type === 'request' && effect.request.type === 'stretch' ? [effect.request.stretch.password] : [],
    );
    expect(stretches.map(isWiped)).toEqual(key.kind === 'typed' ? [true] : []);
  });

  it('no plaintext of the provisioning data', () => {
    const run = watched();
    converse(run.app.start(), run.way);
    const [data, done] = run.atCore.sealed;
    expect([data, done].map((plaintext) => isWiped(plaintext as Uint8Array))).toEqual([true, false]);
    const [received, answered] = run.atApp.opened;
    expect([received, answered].map((plaintext) => isWiped(plaintext as Uint8Array))).toEqual([true, false]);
    expect(run.app.output?.data.masterSessionKey).toEqual(new Uint8Array(32).fill(1));
  });

  it.each([0, 1, 2, 3])('nothing when it ends after %d answers', (answers) => {
    const run = watched(TYPED);
    converse(run.app.start(), run.way, answers);
    run.app.input({ type: 'closed' });
    for (const { machine } of run.core.sessions.values()) run.core.input(machine, { type: 'closed' });
    expect(run.app.machine.state).toBe('failed');
    expect([run.leftAtApp(), run.leftAtCore()]).toEqual([[], []]);
  });

  it('nothing when the stretched key is not waited for any more', () => {
    const run = watched(TYPED);
    run.app.manual = true;
    run.app
      .start()
      .input({ type: 'closed' })
      .input({ type: 'failed', error: new ProtocolError('ERR_INTERNAL', 'no memory') });
    expect(run.app.machine.state).toBe('failed');
    const [request] = run.app.requests;
    expect(request?.type === 'stretch' && isWiped(request.stretch.password)).toBe(true);
  });

  it('nothing when 0x42 does not open', () => {
    const run = watched();
    converse(run.app.start(), run.way, 3);
    const [done] = run.way.exchange(run.app.take());
    run.app.receive((done as Uint8Array).map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte)));
    expect(run.app.error.code).toBe('ERR_CRYPTO_OPEN');
    expect(run.leftAtApp()).toEqual([]);
  });

  it("the secret of the record that the run began with, which is the owner's, and may be used again", () => {
    const run = watched();
    converse(run.app.start(), run.way, 3);
    const record = run.app.record as AppActivationRecord;
    const begin = () =>
      appActivationInitiator({ crypto: run.atApp.crypto, entropy: seededEntropy('again'), app: { appVersion: '1', platform: 'ios' }, record });
    const failing = begin();
    failing.handle({ type: 'start' }, NOW_MS);
    failing.handle({ type: 'closed' }, NOW_MS);
    expect(isWiped(record.session?.traffic as Uint8Array)).toBe(false);
    const [done] = run.way.exchange(run.app.take());
    const again = begin();
    again.handle({ type: 'start' }, NOW_MS);
    again.handle({ type: 'received', frame: done as Uint8Array }, NOW_MS);
    expect(again.state).toBe('activated');
    expect(isWiped(record.session?.traffic as Uint8Array)).toBe(true);
  });

  it('nothing when the data is for another device', () => {
    const ofApp = watchedCrypto(nodeCrypto());
    const atApp = watchedPlaintexts(ofApp.crypto);
    const app = new AppBench({ crypto: atApp.crypto });
    const liar = beforeLiar(app);
    app.receive(liar.says(wire.provisioningData.encode({ ...provisioning(1), ...DEVICE, deviceId: 'device-2' })));
    expect(app.error.code).toBe('ERR_PEER_OTHER_DEVICE');
    expect(ofApp.left()).toEqual([]);
    expect(atApp.opened.map(isWiped)).toEqual([true]);
  });

  it('nothing at UEM of a session that is refused, at any message', () => {
    const first = watched();
    first.core.keys.clear();
    converse(first.app.start(), first.way);
    // The random key that stands for one that nobody has.
    expect(first.leftAtCore()).toEqual(['input of an extraction']);

    const second = watched();
    second.core.refuse = { type: 'provision', error: first.app.error };
    converse(second.app.start(), second.way);
    expect([second.leftAtApp(), second.leftAtCore()]).toEqual([[], []]);

    const third = watched();
    third.core.refuse = { type: 'consume', error: first.app.error };
    converse(third.app.start(), third.way);
    expect([third.leftAtApp(), third.leftAtCore()]).toEqual([[], []]);
  });
});
