import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes, ProtocolError } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  ACCESS_KEY,
  AskingSide,
  CHANNELS,
  type ChannelName,
  converse,
  HandingSide,
  initiatorOptions,
  KEY_ID,
  pair,
  responderOptions,
} from './key-hand-over-bench.ts';

/*
 * An app and the side that hands a key over, on a channel that an attacker owns. The reference model: the app has a key only when this client has handed it to this app
 * in this run; the owner is asked for a key at most once, and only after mac3; the key never stands in clear on the channel; what is saved is the whole activation or nothing.
 */

type Action = readonly [name: string, argument: number];

const NAMES = [
  'deliver',
  'deliver',
  'deliver',
  'deliver',
  'drop',
  'duplicate',
  'reorder',
  'truncate',
  'flip',
  'splice',
  'wrong type',
  'reflect',
  'UEM refuses',
  'close',
  'deadline',
  'time jump',
  'crash of the app',
  'crash of the client',
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...NAMES), fc.nat(10_000));

class World {
  readonly channel: ChannelName;
  readonly strange: readonly Uint8Array[];
  app: AskingSide;
  client: HandingSide;
  toClient: Uint8Array[] = [];
  toApp: Uint8Array[] = [];
  runs = 0;
  readonly alerts = new Map<string, string>();

  constructor(channel: ChannelName) {
    this.channel = channel;
    this.strange = converse(pair(channel, { seed: 'other' }));
    this.app = this.newApp();
    this.client = this.newClient();
    this.collect();
  }

  newApp(): AskingSide {
    return new AskingSide(initiatorOptions(this.channel, { seed: `app ${this.runs++}` })).start();
  }

  newClient(): HandingSide {
    return new HandingSide(responderOptions(this.channel, { seed: `client ${this.runs++}` }));
  }

  collect(): void {
    for (const { frame } of this.app.sent.splice(0)) this.toClient.push(this.seen(frame));
    for (const { frame } of this.client.sent.splice(0)) {
      // Before mac3 nothing leaves but M2 and alerts.
      const isRecord = wire.peekFrameName(frame) === undefined;
      if (isRecord) expect(['finished', 'failed']).toContain(this.client.machine.state);
      this.toApp.push(this.seen(frame));
    }
  }

  private seen(frame: Uint8Array): Uint8Array {
    expect(Buffer.from(frame).toString('latin1')).not.toContain(ACCESS_KEY);
    if (wire.peekFrameName(frame) === 'alert') {
      const { code } = wire.alert.decode(wire.parseFrame(frame));
      expect(['badMessage', 'authFailed']).toContain(code);
      expect(this.alerts.get(code) ?? frame.join()).toBe(frame.join());
      this.alerts.set(code, frame.join());
    }
    return frame;
  }

  check(): void {
    const { app, client } = this;
    expect(client.grants).toBeLessThanOrEqual(1);
    expect(app.store.size).toBe(app.output === undefined ? 0 : 1);
    if (client.output !== undefined) expect(client.grants).toBe(1);
    if (app.output !== undefined) {
      expect(app.failure).toBeUndefined();
      expect(app.record).toMatchObject({ phase: 'started', key: { kind: 'assisted', accessKey: ACCESS_KEY } });
      expect(app.output.keyId).toEqual(KEY_ID);
    }
  }
}

function step(world: World, [name, argument]: Action): void {
  const { app, client } = world;
  const states = [app.machine.state, client.machine.state];
  const side = argument % 2 === 0 ? client : app;
  const frames = side === client ? world.toClient : world.toApp;
  const first = (change: (frame: Uint8Array) => Uint8Array): void => {
    if (frames[0] !== undefined) frames[0] = change(frames[0]);
  };
  client.refusal = undefined;
  switch (name) {
    case 'UEM refuses':
    case 'deliver': {
      if (name === 'UEM refuses') client.refusal = new ProtocolError('ERR_REJECTED_UNKNOWN', 'not assigned');
      const frame = (world.toClient.length > 0 ? world.toClient : world.toApp)[0];
      const to = world.toClient.length > 0 ? client : app;
      (to === client ? world.toClient : world.toApp).shift();
      if (frame !== undefined) to.receive(frame);
      break;
    }
    case 'drop':
      frames.shift();
      break;
    case 'duplicate':
      frames.unshift(...frames.slice(0, 1));
      break;
    case 'reorder':
      world.toClient.reverse();
      world.toApp.reverse();
      break;
    case 'truncate':
      first((frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'flip':
      first((frame) => frame.map((byte, at) => (at === argument % frame.length ? byte ^ (1 << (argument % 8)) : byte)));
      break;
    case 'splice': {
      const other = world.strange[argument % world.strange.length] as Uint8Array;
      first((frame) => (argument % 3 === 0 ? other : concatBytes(frame.subarray(0, frame.length >> 1), other.subarray(other.length >> 1))));
      break;
    }
    case 'wrong type':
      side.receive(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
      break;
    case 'reflect': {
      const frame = frames.shift();
      if (frame !== undefined) (side === client ? app : client).receive(frame);
      break;
    }
    case 'close':
      side.input({ type: 'closed' });
      break;
    case 'deadline':
      side.input({ type: 'timer', timer: 'deadline' });
      break;
    case 'time jump':
      side.nowMs += argument * 100_000;
      break;
    case 'crash of the app':
      // What the crash leaves is what was saved: nothing, so that it asks again, or the activation, so that it does not.
      if (app.record === undefined) world.app = world.newApp();
      break;
    case 'crash of the client':
      world.client = world.newClient();
      break;
  }
  if (world.app === app && ['finished', 'failed'].includes(states[0] as string)) expect(app.machine.state).toBe(states[0]);
  if (world.client === client && ['finished', 'failed'].includes(states[1] as string)) expect(client.machine.state).toBe(states[1]);
  world.collect();
}

describe.each(CHANNELS)('a key handed over in %s, and an attacker (F3.3, F3.6)', (channel) => {
  it('comes from this client to this app or not at all', { timeout: 300_000 }, () => {
    let handed = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 24 }), (actions) => {
        const world = new World(channel);
        const clients = new Set([world.client]);
        for (const each of actions) {
          step(world, each);
          world.check();
          clients.add(world.client);
        }
        if (world.app.output === undefined) return;
        handed++;
        expect([...clients].some(({ output }) => output !== undefined)).toBe(true);
      }),
      // The honest run is among them, so that the promise is not empty.
      { numRuns: sized(60, 500), examples: [[Array<Action>(5).fill(['deliver', 0])]] },
    );
    expect(handed).toBeGreaterThan(0);
  });
});
