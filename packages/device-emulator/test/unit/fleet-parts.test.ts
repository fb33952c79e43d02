import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import type { PushRequest, UemTransport } from '@uemkit/uem-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DerivedKeyStore, derivedPassword } from '../../src/fleet/derived-key-store.ts';
import { lockFleet } from '../../src/fleet/fleet-lock.ts';
import { FleetStore } from '../../src/fleet/fleet-store.ts';
import { LossBudget, withPushLoss } from '../../src/fleet/push-loss.ts';
import { SharedClock } from '../../src/fleet/shared-clock.ts';
import { SeededDraw } from '../../src/plan/seeded-draw.ts';

const crypto = nodeCrypto();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('DerivedKeyStore', () => {
  const keys = (index: number): DerivedKeyStore => new DerivedKeyStore({ crypto, draw: new SeededDraw(crypto, 'fleet-1'), index });

  it('makes the same keys from the same seed and index anywhere, and others otherwise', async () => {
    expect(await keys(7).publicKey('a')).toEqual(await keys(7).publicKey('a'));
    expect(await keys(7).publicKey('a')).not.toEqual(await keys(8).publicKey('a'));
    expect(await keys(7).publicKey('a')).not.toEqual(await keys(7).publicKey('b'));
  });

  it('signs with the key that it shows, and gives that key to TLS', async () => {
    const message = new TextEncoder().encode('message');
    const publicKey = await keys(1).publicKey('a');
    expect(crypto.p256Verify(publicKey, message, await keys(1).sign('a', message))).toBe(true);
    const spki = createPublicKey(createPrivateKey(await keys(1).tlsKey('a'))).export({ format: 'der', type: 'spki' });
    expect(spki.subarray(-65)).toEqual(Buffer.from(publicKey));
  });

  it('gives each device its own activation password', () => {
    const draw = new SeededDraw(crypto, 'fleet-1');
    const passwords = new Set(Array.from({ length: 100 }, (_, index) => derivedPassword(draw, index)));
    expect(passwords.size).toBe(100);
  });
});

describe('SharedClock', () => {
  it('runs timers in the order in which they are due, those of one moment in the order in which they were set', async () => {
    const below = fakeClock(0);
    const clock = new SharedClock(below);
    const seen: string[] = [];
    clock.setTimer(30, () => seen.push('30'));
    clock.setTimer(10, () => seen.push('10 first'));
    clock.setTimer(10, () => seen.push('10 second'));
    clock.setTimer(20, () => {
      seen.push('20');
      clock.setTimer(0, () => seen.push('20 then'));
    });
    await below.advance(100);
    expect(seen).toEqual(['10 first', '10 second', '20', '20 then', '30']);
    expect(clock.waiting).toBe(0);
  });

  it('does not run a timer that was cancelled, also by another timer of the same moment', async () => {
    const below = fakeClock(0);
    const clock = new SharedClock(below);
    const seen: string[] = [];
    const cancelled: (() => void)[] = [];
    clock.setTimer(10, () => {
      seen.push('a');
      for (const cancel of cancelled) cancel();
    });
    cancelled.push(clock.setTimer(10, () => seen.push('b')));
    cancelled.push(clock.setTimer(5_000, () => seen.push('c')));
    await below.advance(10_000);
    expect(seen).toEqual(['a']);
  });

  it('holds against a plain list of timers', async () => {
    const below = fakeClock(0);
    const clock = new SharedClock(below);
    const draw = new SeededDraw(crypto, 'timers');
    const due: { readonly at: number; readonly order: number }[] = [];
    const seen: number[] = [];
    for (let order = 0; order < 500; order++) {
      const at = draw.below(`at ${order}`, 200);
      const cancel = clock.setTimer(at, () => seen.push(order));
      if (draw.chance(`cancel ${order}`, 0.3)) cancel();
      else due.push({ at, order });
    }
    await below.advance(300);
    expect(seen).toEqual(due.sort((a, b) => a.at - b.at || a.order - b.order).map(({ order }) => order));
  });
});

describe('FleetStore', () => {
  it('is for its owner only, also in a folder that others may look into', async () => {
    chmodSync(folder, 0o755);
    const store = new FleetStore(folder);
    await store.device(1).commit([{ key: 'a', value: Uint8Array.of(1) }]);
    await store.close();
    const files = readdirSync(folder);
    expect(files).toContain('fleet.mdb');
    for (const name of files) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
  });

  it('keeps what each device committed, apart and over a restart', async () => {
    const store = new FleetStore(folder);
    await store.device(1).commit([{ key: 'a', value: Uint8Array.of(1) }]);
    await store.device(10).commit([{ key: 'a', value: Uint8Array.of(10) }]);
    await store.close();
    const again = new FleetStore(folder);
    expect(await again.device(1).get('a')).toEqual(Uint8Array.of(1));
    expect(await again.device(10).get('a')).toEqual(Uint8Array.of(10));
    expect(await again.device(2).get('a')).toBeUndefined();
    await again.device(1).commit([
      { key: 'a', value: null },
      { key: 'b/2', value: Uint8Array.of(2) },
      { key: 'b/1', value: Uint8Array.of(1) },
    ]);
    expect(again.deviceEntries(1, 'b/')).toEqual([
      { key: '1', value: Uint8Array.of(1) },
      { key: '2', value: Uint8Array.of(2) },
    ]);
    expect(await again.device(1).get('a')).toBeUndefined();
    await again.close();
  });
});

describe('lockFleet', () => {
  it('lets one process in, and the next one when it is gone', () => {
    const lock = lockFleet(folder, process.pid);
    expect(() => lockFleet(folder, process.pid)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
    lock.release();
    lockFleet(folder, process.pid).release();
  });

  it('takes over the lock of a process that does not run any more', () => {
    // Beyond the largest process number of Linux.
    writeFileSync(join(folder, 'fleet.lock'), '4194305 1\n');
    lockFleet(folder, process.pid).release();
  });

  it('takes over the lock of a process number that was given to another process', () => {
    writeFileSync(join(folder, 'fleet.lock'), `${process.pid} 1\n`);
    if (process.platform === 'linux') lockFleet(folder, process.pid).release();
  });
});

describe('LossBudget', () => {
  it('lets no other device fall asleep while more than the share is lost', () => {
    const budget = new LossBudget(0.1);
    expect(budget.arrived()).toBe(true);
    budget.lost();
    const allowed = Array.from({ length: 20 }, () => budget.arrived());
    expect(allowed.indexOf(true)).toBe(9);
    expect(allowed.slice(9)).not.toContain(false);
  });
});

describe('withPushLoss', () => {
  it('loses the chosen wake-ups: acknowledged, counted, never seen by the client', async () => {
    const sent: Uint8Array[] = [];
    let deliver: (frame: Uint8Array) => void = () => undefined;
    let close: () => void = () => undefined;
    const transport: UemTransport = {
      exchange: () => Promise.reject(new Error('not used')),
      release: () => undefined,
      close: async () => undefined,
      openPush: async (request) => {
        deliver = (frame) => request.onFrame(frame);
        close = () => request.onClose();
        deliver(wakeUp(0));
        return {
          send: (frame) => {
            sent.push(frame);
          },
          close: () => undefined,
        };
      },
    };
    const lost: number[] = [];
    const seen: number[] = [];
    let ordinal = 0;
    const lossy = withPushLoss(transport, { lose: () => ordinal++ !== 1, onLost: (message) => lost.push(message.wakeUpId[0] as number) });
    let closed = 0;
    // An object of a class, as the client's: its methods are not its own properties.
    class Attempt implements PushRequest {
      readonly address = 'localhost:1';
      readonly trust = { roots: [], spkiPins: [] };
      onFrame(frame: Uint8Array): void {
        seen.push(wire.wakeUp.decode(wire.parseFrame(frame)).wakeUpId[0] as number);
      }
      onClose(): void {
        closed++;
      }
    }
    const request = new Attempt();
    await lossy.openPush(request);
    for (const id of [1, 2]) deliver(wakeUp(id));
    close();
    expect({ lost, seen, closed }).toEqual({ lost: [0, 2], seen: [1], closed: 1 });
    expect(sent.map((frame) => wire.pushAck.decode(wire.parseFrame(frame)).wakeUpId[0])).toEqual([0, 2]);
  });

  function wakeUp(id: number): Uint8Array {
    return wire.wakeUp.encode({ wakeUpId: new Uint8Array(16).fill(id), sentAtEpochMs: 5 });
  }
});
