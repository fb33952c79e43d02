import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { watchedCrypto } from '../../watched-crypto.ts';
import { AppSide, CoreSide, converse, initiatorOptions, responderOptions } from './app-update-bench.ts';

function watchedPair() {
  const [ofApp, ofCore] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
  const options = initiatorOptions({ crypto: ofApp.crypto });
  const app = new AppSide(options).start();
  const core = new CoreSide(responderOptions({ crypto: ofCore.crypto }));
  const left = () => [ofApp.left(options.psk), ofCore.left(core.peer?.psk, core.peer?.staticScalar)];
  return { app, core, left, seen: () => [ofApp.seen > 5, ofCore.seen > 5] };
}

const NOTHING = [[], []];

describe('an update that an app asks for leaves in memory', () => {
  it('nothing at the end', () => {
    const run = watchedPair();
    converse(run);
    expect([run.app.machine.state, run.core.machine.state]).toEqual(['finished', 'finished']);
    expect(run.seen()).toEqual([true, true]);
    expect(run.left()).toEqual(NOTHING);
  });

  it.each([1, 2, 3, 4, 5])('nothing when it ends after %d frames', (count) => {
    const run = watchedPair();
    converse(run, count);
    run.app.input({ type: 'closed' });
    run.core.input({ type: 'closed' });
    expect(run.left()).toEqual(NOTHING);
  });

  it('nothing when UEM refuses, or the app cannot keep it', () => {
    for (const who of ['core', 'app'] as const) {
      const run = watchedPair();
      const error = new ProtocolError('ERR_STORE_WRITE', 'full');
      if (who === 'app') run.app.refusal = error;
      else run.core.refusal = { of: 'compare', error };
      converse(run);
      run.core.input({ type: 'closed' });
      expect([run.app.machine.state, run.core.machine.state]).toEqual(['failed', 'failed']);
      expect(run.left()).toEqual(NOTHING);
    }
  });
});
