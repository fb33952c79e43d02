import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bench, type End } from './session-bench.ts';

/*
 * Both ends of a session over a NOC that does what it likes with the bytes. The reference model is what each end has sent: the other one is told of a prefix of it, in
 * order, and of nothing else. One changed byte ends the session at who gets it; an end in good order was asked for by the other side.
 */

const ACTIONS = [
  'deliver',
  'deliver',
  'deliver',
  'deliver',
  'write',
  'write',
  'drop',
  'duplicate',
  'reorder',
  'truncate',
  'flip',
  'splice',
  'reflect',
  'cut',
  'close',
] as const;
type Action = readonly [name: (typeof ACTIONS)[number], argument: number];

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(100_000));

interface Line {
  readonly from: End;
  readonly to: End;
  readonly waiting: Uint8Array[];
  /** Bytes of stream 0 that were written, and that came. */
  readonly written: number[];
  readonly came: number[];
  closed: boolean;
  touched: boolean;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await Promise.resolve();
}

async function play(actions: readonly Action[]): Promise<{ readonly bytes: number; readonly broken: number }> {
  const made = bench({ seed: 'model' });
  const strange = bench({ seed: 'strange' });
  const stolen = [...strange.app.sent];
  await strange.settle();
  const { app, proxy } = made;
  const line = (from: End, to: End): Line => ({ from, to, waiting: [], written: [], came: [], closed: false, touched: false });
  const lines = [line(app, proxy), line(proxy, app)] as const;
  const pick = (argument: number): Line => lines[argument % 2] as Line;
  const next = { value: 0 };

  const collect = (): void => {
    for (const one of lines) {
      one.waiting.push(...one.from.sent.splice(0));
      for (const event of one.to.told()) {
        if (event.type === 'opening') made.proxy.running.call({ type: 'accept', streamId: event.streamId });
        if (event.type === 'established' && one.to === app) app.running.call({ type: 'open', streamId: 0, host: 'wiki.example', port: 443 });
        if (event.type === 'data') one.came.push(...event.bytes);
      }
      one.waiting.push(...one.from.sent.splice(0));
    }
  };
  const give = (to: Line, bytes: Uint8Array): void => to.to.running.received(bytes);

  collect();
  for (const [name, argument] of actions) {
    const one = pick(argument);
    const { waiting } = one;
    const [first] = waiting;
    switch (name) {
      case 'write': {
        const size = Math.min(1 + (argument % 700), one.from.running.credit(0));
        if (size === 0) break;
        const bytes = Uint8Array.from({ length: size }, () => next.value++ % 251);
        one.written.push(...bytes);
        one.from.running.call({ type: 'write', streamId: 0, bytes });
        break;
      }
      case 'close':
        if (argument % 8 !== 0) break;
        one.closed = true;
        one.from.running.call({ type: 'close' });
        break;
      case 'cut':
        if (argument % 8 === 0) one.to.running.closed();
        break;
      case 'reflect':
        if (first === undefined) break;
        one.touched = true;
        lines[1 - (argument % 2)]?.to.running.received(first);
        break;
      case 'splice':
        one.touched = true;
        give(one, stolen[argument % stolen.length] as Uint8Array);
        break;
      default: {
        if (first === undefined) break;
        if (name === 'reorder' && waiting.length < 2) break;
        waiting.shift();
        if (name !== 'deliver') one.touched = true;
        if (name === 'deliver') give(one, first);
        if (name === 'duplicate') for (let copies = 0; copies < 2; copies++) give(one, first);
        if (name === 'reorder') waiting.splice(1, 0, first);
        if (name === 'truncate' && first.length > 1) give(one, first.subarray(0, 1 + (argument % (first.length - 1))));
        if (name === 'flip') {
          const changed = first.slice();
          changed[argument % changed.length] = (changed[argument % changed.length] as number) ^ (1 << (argument % 8));
          give(one, changed);
        }
      }
    }
    await turns();
    collect();
    for (const { came, written } of lines) expect(came).toEqual(written.slice(0, came.length));
  }
  for (const one of lines) {
    const { ended } = one.to;
    if (ended !== undefined && ended.error === undefined) expect(one.closed || pick(lines.indexOf(one) + 1).closed).toBe(true);
  }
  return { bytes: lines[0].came.length + lines[1].came.length, broken: lines.filter(({ to, touched }) => touched && to.ended?.error !== undefined).length };
}

it('tells each end a prefix of what the other one has sent, whatever the NOC does with the bytes', { timeout: 120_000 }, async () => {
  let bytes = 0;
  let broken = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      // An honest beginning, so that most runs get as far as streams.
      const honest: Action[] = Array.from({ length: 12 }, (_, at) => ['deliver', at] as const);
      const seen = await play([...honest.slice(0, actions.length % 13), ...actions]);
      bytes += seen.bytes;
      broken += seen.broken;
    }),
    { numRuns: 150 },
  );
  // The property has met both: data that came, and sessions that the attacker broke.
  expect(bytes).toBeGreaterThan(0);
  expect(broken).toBeGreaterThan(0);
});
