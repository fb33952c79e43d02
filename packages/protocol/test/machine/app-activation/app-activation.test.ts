import { describe, expect, it } from 'vitest';
import * as wire from '../../../src/wire/index.ts';
import { AppBench, ASSISTED, CoreBench, converse, DEVICE, KEY_ID, TYPED, Way } from './app-activation-bench.ts';

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? 'record';

describe('an app activates itself (F3)', () => {
  it.each([
    ['a typed key', TYPED],
    ['an assisted key', ASSISTED],
  ])('with %s', (_what, key) => {
    const way = new Way(new CoreBench().add(KEY_ID, key), key);
    const app = new AppBench({ key }).start();
    const frames = converse(app, way);
    expect(frames.map(name)).toEqual([
      'nocVerify',
      'nocProvision',
      'handshakeStart',
      'handshakeReply',
      'nocEnvelope',
      'nocEnvelope',
      'nocEnvelope',
      'nocEnvelope',
    ]);
    expect(app.machine.state).toBe('activated');
    expect(app.record).toEqual(app.output?.record);
    expect(app.record).toMatchObject({ phase: 'activated', device: key.kind === 'assisted' ? DEVICE : undefined, key: undefined, session: undefined });
    expect(app.output?.data.masterSessionKey).toEqual(new Uint8Array(32).fill(way.core.live as number));
    expect(app.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []))).toEqual([
      ...(key.kind === 'typed' ? ['F3.7'] : []),
      'F3.7',
      'F3.8',
      'F3.9',
      'F3.11',
      'F3.11',
    ]);
  });
});
