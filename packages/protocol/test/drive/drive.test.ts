import { describe, expect, it } from 'vitest';
import { type DrivePorts, drive, type Effect, type Input, type Link, type Machine, ProtocolError } from '../../src/index.ts';
import { fakeClock, memoryLink, memoryStore, seededEntropy } from '../../src/testing/index.ts';

type Ask = 'sign';
type Told = string;
type ScriptEffect = Effect<Ask, Told, string>;
type ScriptInput = Input<number, 'go'>;

/** A machine that does what a function says, and notes what it got. */
function scripted(script: (input: ScriptInput) => readonly ScriptEffect[]): Machine<Ask, number, Told, string, 'go'> & { readonly seen: ScriptInput[] } {
  const seen: ScriptInput[] = [];
  return {
    state: 'scripted',
    seen,
    handle(input) {
      seen.push(input);
      return script(input);
    },
  };
}

const frame = Uint8Array.of(1, 2, 3);
const silent: Link = { send: () => {}, receive: () => {} };

function ports(more: Partial<DrivePorts<Ask, number, Told>> = {}): DrivePorts<Ask, number, Told> & { readonly store: ReturnType<typeof memoryStore> } {
  return { clock: fakeClock(0), store: memoryStore(), link: silent, request: async () => 7, ...more } as never;
}

describe('drive', () => {
  it('saves before it sends, and sends nothing when it cannot save', async () => {
    const order: string[] = [];
    const link: Link = { send: () => void order.push('send'), receive: () => {} };
    const machine = (): ReturnType<typeof scripted> =>
      scripted(() => [
        { type: 'persist', writes: [{ key: 'k', value: frame }] },
        { type: 'send', frame, step: 'F0.0' },
        { type: 'done', output: 'ok' },
      ]);
    const good = ports({ link });
    const store = {
      async commit(writes: Parameters<typeof good.store.commit>[0]): Promise<void> {
        await good.store.commit(writes);
        order.push('saved');
      },
    };
    await expect(drive(machine(), { ...good, store }).ended).resolves.toBe('ok');
    expect(order).toEqual(['saved', 'send']);
    const full = ports({ link });
    full.store.failWrites();
    await expect(drive(machine(), full).ended).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    expect(order).toEqual(['saved', 'send']);
  });

  it('feeds answers, results, calls and timers to the machine', async () => {
    const clock = fakeClock(0);
    const events: string[] = [];
    const frames: unknown[] = [];
    const machine = scripted((input) => {
      switch (input.type) {
        case 'start':
          return [{ type: 'send', frame, step: 'F1.2' }];
        case 'received':
          return [{ type: 'request', request: 'sign', step: 'F1.3' }];
        case 'result':
          return [
            { type: 'emit', event: `got ${input.result}` },
            { type: 'arm-timer', timer: 'a', afterMs: 10 },
            { type: 'arm-timer', timer: 'b', afterMs: 20 },
            { type: 'arm-timer', timer: 'b', afterMs: 30 },
            { type: 'cancel-timer', timer: 'c' },
          ];
        case 'timer':
          return input.timer === 'a' ? [{ type: 'cancel-timer', timer: 'b' }] : [];
        case 'call':
          return [{ type: 'done', output: input.call }];
        default:
          return [];
      }
    });
    const run = drive(
      machine,
      ports({
        clock,
        link: { exchange: async (sent) => Uint8Array.of(...sent, 4) },
        onEvent: (event) => void events.push(event),
        onFrame: (direction, seen, step) => void frames.push([direction, seen.length, step]),
      }),
    );
    await clock.advance(100);
    run.call('go');
    await expect(run.ended).resolves.toBe('go');
    expect(events).toEqual(['got 7']);
    expect(frames).toEqual([
      ['sent', 3, 'F1.2'],
      ['received', 4, undefined],
    ]);
    expect(machine.seen.map((input) => input.type)).toEqual(['start', 'received', 'result', 'timer', 'call']);
    expect(clock.pendingTimers).toBe(0);
    run.call('go');
    expect(machine.seen).toHaveLength(5);
  });

  it('runs over a stream link too', async () => {
    const clock = fakeClock(0);
    const link = memoryLink({ clock, entropy: seededEntropy('drive') });
    const machine = scripted((input) => (input.type === 'received' ? [{ type: 'done', output: 'frame' }] : []));
    const run = drive(machine, ports({ clock, link: link.initiator }));
    link.responder.send(frame);
    await clock.advance(10);
    await expect(run.ended).resolves.toBe('frame');
    const closing = memoryLink({ clock, entropy: seededEntropy('drive') });
    const other = drive(
      scripted((input) => (input.type === 'closed' ? [{ type: 'done', output: 'closed' }] : [])),
      ports({ clock, link: closing.initiator }),
    );
    closing.cut();
    await expect(other.ended).resolves.toBe('closed');
  });

  it('tells the machine of lost frames and failed requests', async () => {
    const closed = new ProtocolError('ERR_TRANSPORT_CLOSED', 'gone');
    const machine = scripted((input) => {
      if (input.type === 'start') return [{ type: 'send', frame, step: '' }];
      if (input.type === 'closed') return [{ type: 'request', request: 'sign', step: '' }];
      return input.type === 'failed' ? [{ type: 'fail', error: input.error.at('F9.9') }] : [];
    });
    const failing = ports({ link: { exchange: () => Promise.reject(closed) }, request: () => Promise.reject(new ProtocolError('ERR_STORE_READ', 'no')) });
    await expect(drive(machine, failing).ended).rejects.toMatchObject({ code: 'ERR_STORE_READ', step: 'F9.9' });
    expect(machine.seen).toMatchObject([{ type: 'start' }, { type: 'closed', error: { code: 'ERR_TRANSPORT_CLOSED' } }, { type: 'failed' }]);
  });

  it.each(['request', 'send'] as const)('ends with the error of a %s that is none of ours', async (part) => {
    const effect: ScriptEffect = part === 'send' ? { type: 'send', frame, step: '' } : { type: 'request', request: 'sign', step: '' };
    const machine = scripted((input) => (input.type === 'start' ? [effect] : []));
    const broken = ports({
      link: {
        send: () => {
          throw new TypeError('bug');
        },
        receive: () => {},
      },
      request: () => Promise.reject(new TypeError('bug')),
    });
    await expect(drive(machine, broken).ended).rejects.toThrow(TypeError);
  });

  it('says so when something failed without an error', async () => {
    const machine = scripted((input) => (input.type === 'start' ? [{ type: 'request', request: 'sign', step: '' }] : []));
    await expect(drive(machine, ports({ request: () => Promise.reject() })).ended).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
  });

  it('stops at an abort, between any two effects, with the reason of the caller', async () => {
    const controller = new AbortController();
    let sent = 0;
    const store = { commit: async () => controller.abort(new Error('enough')) };
    const machine = scripted((input) =>
      input.type === 'start'
        ? [
            { type: 'arm-timer', timer: 'a', afterMs: 5 },
            { type: 'persist', writes: [] },
            { type: 'send', frame, step: '' },
          ]
        : [],
    );
    const aborted = ports({ store, signal: controller.signal, link: { send: () => void sent++, receive: () => {} } });
    await expect(drive(machine, aborted).ended).rejects.toThrow('enough');
    expect(sent).toBe(0);
    expect((aborted.clock as ReturnType<typeof fakeClock>).pendingTimers).toBe(0);
    const never = drive(
      scripted(() => []),
      ports({ signal: AbortSignal.abort(new Error('before')) }),
    );
    await expect(never.ended).rejects.toThrow('before');
  });

  it('wakes up for an abort while it waits, and aborts what is under way', async () => {
    const controller = new AbortController();
    let inner: AbortSignal | undefined;
    const machine = scripted((input) => (input.type === 'start' ? [{ type: 'request', request: 'sign', step: '' }] : []));
    const waiting = ports({
      signal: controller.signal,
      request: (_request, signal) => {
        inner = signal;
        return new Promise(() => {});
      },
    });
    const run = drive(machine, waiting);
    await fakeClock(0).settle();
    controller.abort();
    await expect(run.ended).rejects.toMatchObject({ name: 'AbortError' });
    expect(inner?.aborted).toBe(true);
  });

  it('stops when its owner says so, and once only', async () => {
    let inner: AbortSignal | undefined;
    const machine = scripted((input) => (input.type === 'start' ? [{ type: 'request', request: 'sign', step: '' }] : []));
    const run = drive(
      machine,
      ports({
        request: (_request, signal) => {
          inner = signal;
          return new Promise(() => {});
        },
      }),
    );
    await fakeClock(0).settle();
    run.stop(new Error('enough'));
    run.stop(new Error('again'));
    await expect(run.ended).rejects.toThrow('enough');
    expect(inner?.aborted).toBe(true);
    run.stop(new Error('after the end'));
  });

  it('drops what comes after its end', async () => {
    let late: ((answer: Uint8Array) => void) | undefined;
    let lateRequest: ((error: Error) => void) | undefined;
    const seen: string[] = [];
    const machine = scripted((input) =>
      input.type === 'call'
        ? [{ type: 'done', output: 'ended' }]
        : [
            { type: 'send', frame, step: '' },
            { type: 'request', request: 'sign', step: '' },
          ],
    );
    const run = drive(
      machine,
      ports({
        link: { exchange: () => new Promise<Uint8Array>((resolve) => (late = resolve)) },
        request: () => new Promise((_resolve, reject) => (lateRequest = reject)),
        onFrame: (direction) => void seen.push(direction),
      }),
    );
    await fakeClock(0).settle();
    run.call('go');
    await run.ended;
    late?.(frame);
    lateRequest?.(new Error('late'));
    await fakeClock(0).settle();
    expect(seen).toEqual(['sent']);
    expect(machine.seen).toHaveLength(2);
  });

  it('takes no answer for an exchange that was given up', async () => {
    const machine = scripted((input) => (input.type === 'start' ? [{ type: 'send', frame, step: '' }] : [{ type: 'done', output: input.type }]));
    const run = drive(machine, ports({ link: { exchange: async () => undefined } }));
    await fakeClock(0).settle();
    expect(machine.seen).toHaveLength(1);
    run.call('go');
    await expect(run.ended).resolves.toBe('call');
  });

  it('bounds the inputs that wait for a slow store', async () => {
    const machine = scripted((input) => (input.type === 'start' ? [{ type: 'persist', writes: [] }] : []));
    let saved: (() => void) | undefined;
    const run = drive(machine, ports({ store: { commit: () => new Promise<void>((resolve) => (saved = resolve)) } }));
    for (let count = 0; count < 1_100; count++) run.call('go');
    saved?.();
    await expect(run.ended).rejects.toMatchObject({ code: 'ERR_WIRE_LIMIT' });
  });
});
