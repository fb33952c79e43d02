import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { NAMES, pair, type Side } from './handshake-bench.ts';

/*
 * Both roles of each instance over a network that an attacker owns. The reference model: a session on one side means that the other side sent
 * exactly the bytes that were received, so what differs in one byte, comes from another run or in another order never gives a session.
 * Until then nothing leaves but M1, one M2 and M3, and alerts that tell a malformed frame from a refusal and nothing more.
 */

type Action = readonly [name: string, argument: number];

const ACTIONS = [
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
  'close',
  'deadline',
  'time jump',
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(10_000));

interface Wire {
  readonly from: Side;
  readonly to: Side;
  frames: Uint8Array[];
  /** Frames that the other side took, as they left. */
  readonly honest: Set<string>;
}

describe.each(NAMES)('handshake %s, both roles and an attacker', (name) => {
  it('gives a session only for what the other side sent', { timeout: 300_000 }, () => {
    let sessions = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), fc.nat(1), (actions, seed) => {
        const { app, server } = pair(name, { seed: `${seed}` });
        const other = pair(name, { seed: 'other' });
        const strange = [other.app.take()];
        strange.push(other.server.receive(strange[0] as Uint8Array).take());
        other.app.receive(strange[1] as Uint8Array);
        strange.push(other.app.take());
        const wires: readonly Wire[] = [
          { from: app, to: server, frames: [], honest: new Set() },
          { from: server, to: app, frames: [], honest: new Set() },
        ];
        const said = new Map<Side, Set<string>>([
          [app, new Set()],
          [server, new Set()],
        ]);
        const collect = (): void => {
          for (const line of wires) {
            for (const { frame } of line.from.sent.splice(0)) {
              line.frames.push(frame);
              line.honest.add(frame.join());
              const what = wire.peekFrameName(frame) as string;
              if (what === 'alert') expect(['badMessage', 'authFailed']).toContain(wire.alert.decode(wire.parseFrame(frame)).code);
              else said.get(line.from)?.add(`${what} ${frame.join()}`);
            }
          }
        };
        /** Frames that took each side a state further. */
        const taken = new Map<Side, string[]>();
        const give = (line: Wire, frame: Uint8Array): void => {
          const before = line.to.machine.state;
          line.to.receive(frame);
          if (line.to.machine.state !== before) taken.set(line.to, [...(taken.get(line.to) ?? []), frame.join()]);
        };
        collect();
        for (const [what, argument] of actions) {
          const chosen = wires[argument % 2] as Wire;
          const line = what === 'deliver' && chosen.frames.length === 0 ? (wires[1 - (argument % 2)] as Wire) : chosen;
          const states = wires.map(({ to }) => [to, to.machine.state] as const);
          const frame = line.frames[0];
          switch (what) {
            case 'deliver':
              line.frames.shift();
              if (frame !== undefined) give(line, frame);
              break;
            case 'drop':
              line.frames.shift();
              break;
            case 'duplicate':
              if (frame !== undefined) line.frames.push(frame);
              break;
            case 'reorder':
              line.frames.reverse();
              break;
            case 'truncate':
              if (frame !== undefined) line.frames[0] = frame.subarray(0, argument % frame.length);
              break;
            case 'flip':
              if (frame !== undefined) {
                const copy = frame.slice();
                copy[argument % copy.length] = (copy[argument % copy.length] as number) ^ (1 << (argument % 8));
                line.frames[0] = copy;
              }
              break;
            case 'splice':
              if (frame !== undefined) {
                const stranger = strange[argument % 3] as Uint8Array;
                line.frames[0] = argument % 4 < 2 ? stranger : concatBytes(frame.subarray(0, frame.length - 32), stranger.subarray(-32));
              }
              break;
            case 'wrong type':
              give(line, wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
              break;
            case 'reflect':
              if (frame !== undefined) line.from.receive(frame);
              break;
            case 'close':
              line.to.input({ type: 'closed' });
              break;
            case 'deadline':
              line.to.input({ type: 'timer', timer: 'deadline' });
              break;
            case 'time jump':
              line.to.nowMs += argument * 100_000;
              break;
          }
          for (const [side, state] of states) {
            if (state === 'established' || state === 'failed') expect(side.machine.state).toBe(state);
          }
          collect();
        }
        // One M2 however often M1 came, and M3 only with a session.
        expect([...(said.get(server) ?? [])].map((text) => text.split(' ')[0])).toEqual(said.get(server)?.size === 0 ? [] : ['handshakeReply']);
        const ofApp = [...(said.get(app) ?? [])].map((text) => text.split(' ')[0]);
        expect(ofApp).toEqual(app.session === undefined ? ['handshakeStart'] : ['handshakeStart', 'handshakeFinish']);
        for (const line of wires) {
          if (line.to.session === undefined) continue;
          expect(line.to.failure).toBeUndefined();
          // M1 and M3 at the responder, M2 at the initiator: each as the other side sent it. Without a psk M1 of anybody may begin a run, but M3 ends only this one.
          expect(taken.get(line.to)).toHaveLength(line.to === server ? 2 : 1);
          for (const frame of taken.get(line.to) ?? []) expect(line.honest.has(frame)).toBe(true);
        }
        if (server.session !== undefined) {
          sessions++;
          expect(app.session?.sessionId).toEqual(server.session.sessionId);
          expect(app.session?.exporter).toEqual(server.session.exporter);
        }
      }),
      // The honest run is among them, so that the promise is not empty.
      { numRuns: sized(40, 300), examples: [[Array<Action>(3).fill(['deliver', 0]), 0]] },
    );
    expect(sessions).toBeGreaterThan(0);
  });
});
