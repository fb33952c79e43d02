import { concatBytes, isProtocolError, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, type SeededEntropy, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_JOURNAL_ENTRIES } from '../../src/journal/journal.ts';
import { MAX_JOURNAL_TEXT_CHARACTERS } from '../../src/journal/slot.ts';
import { type Lab, startLab } from '../../src/lab.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { LabDevice, overMemory, qrSecret } from '../support/lab-device.ts';

const SEED = 'a device that answers with rubbish';
const ROUNDS = 60;
/** What may come back: nothing but the protocol's own answers. */
const ANSWERS = ['alert badMessage', 'command', 'idle', 'HTTP 400', 'HTTP 413'];

let clock: FakeClock;
let lab: Lab;
let stores: { readonly infrastructure: MemoryStore; readonly uem: MemoryStore; readonly notification: MemoryStore; readonly noc: MemoryStore };

beforeEach(async () => {
  clock = fakeClock(Date.UTC(2026, 0, 15));
  stores = { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore(), noc: new MemoryStore() };
  lab = await startLab({ clock, crypto: nodeCrypto(), entropy: seededEntropy(`${SEED}, lab`), stores });
});

afterEach(() => lab.close());

async function activated(name: string): Promise<LabDevice> {
  const device = new LabDevice(overMemory(lab), name, () => clock.nowMs());
  const { guid } = await lab.admin.createUser({ username: name });
  const { content } = await lab.admin.createQrCode(guid);
  const outcome = await device.activate(qrSecret(content));
  if (isProtocolError(outcome)) throw outcome;
  return device;
}

/** Sends bytes as a device; the name of the answer, or the HTTP status. */
async function sendBytes(device: LabDevice, bytes: Uint8Array): Promise<string> {
  try {
    const answer = wire.parseFrame(await overMemory(lab)('device', bytes, device));
    return answer.name === 'alert' ? `alert ${wire.alert.decode(answer).code}` : answer.name;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return `HTTP ${String(error.details['status'])}`;
  }
}

/** A frame with a body that no codec has looked at. */
function rawFrame(name: wire.FrameName, body: Uint8Array): Uint8Array {
  const header = new Uint8Array(8);
  header[0] = 1;
  header[1] = wire.FRAME_TYPES[name];
  new DataView(header.buffer).setUint32(4, body.length);
  return concatBytes(header, body);
}

/** The kinds of rubbish, each from chance and the ids of commands that were there once. */
class Rubbish {
  readonly #chance: SeededEntropy;
  /** BOUNDED by the rounds. */
  readonly seen: Uint8Array[] = [];
  current: Uint8Array = new Uint8Array(16);

  constructor(seed: string) {
    this.#chance = seededEntropy(seed);
  }

  #upTo(most: number): number {
    return new DataView(this.#chance.randomBytes(4).buffer).getUint32(0) % most;
  }

  #bytes(most: number): Uint8Array {
    return this.#chance.randomBytes(this.#upTo(most));
  }

  #result(fields: readonly (readonly [number, wire.CborValue])[]): Uint8Array {
    return rawFrame('commandResult', wire.encodeCbor(new Map(fields)));
  }

  /** One of each kind. */
  all(): readonly (readonly [string, Uint8Array])[] {
    const { current } = this;
    const old = this.seen[this.#upTo(Math.max(1, this.seen.length))] ?? this.#chance.randomBytes(16);
    const large = new Map([['text', 'x'.repeat(60_000)]]);
    // By hand: the encoder refuses it. {0: id, 1: 0, 3: {"d": {"d": …}}}
    const levels = Array.from({ length: 200 }, () => [0xa1, 0x61, 0x64]).flat();
    const deep = concatBytes(Uint8Array.of(0xa3, 0x00, 0x50), current, Uint8Array.of(0x01, 0x00, 0x03, ...levels, 0x01));
    const good = wire.commandResult.encode({ commandId: current, status: 'done' });
    const cut = good.slice(0, this.#upTo(good.length));
    const bent = good.slice();
    const place = this.#upTo(8);
    bent[place] = (bent[place] as number) ^ (1 + this.#upTo(255));
    return [
      ['random bytes', this.#bytes(2_000)],
      ['nothing', new Uint8Array(0)],
      ['a random body', rawFrame('commandResult', this.#bytes(300))],
      ['a result that is cut short', cut],
      ['a result with another header', bent],
      ['a result for a command that was never sent', wire.commandResult.encode({ commandId: this.#chance.randomBytes(16), status: 'done' })],
      ['a result for a command of before', wire.commandResult.encode({ commandId: old, status: 'failed', message: 'once more' })],
      [
        'an id of the wrong length',
        this.#result([
          [0, current.slice(0, 15)],
          [1, 0],
        ]),
      ],
      [
        'an id that is text',
        this.#result([
          [0, toHex(current)],
          [1, 0],
        ]),
      ],
      [
        'a status that is text',
        this.#result([
          [0, current],
          [1, 'done'],
        ]),
      ],
      [
        'a status without a meaning',
        this.#result([
          [0, current],
          [1, 99],
        ]),
      ],
      [
        'failed without a message',
        this.#result([
          [0, current],
          [1, 1],
        ]),
      ],
      [
        'deferred without a time',
        this.#result([
          [0, current],
          [1, 2],
        ]),
      ],
      [
        'deferred for ever',
        this.#result([
          [0, current],
          [1, 2],
          [4, Number.MAX_SAFE_INTEGER],
        ]),
      ],
      [
        'a message over its limit',
        this.#result([
          [0, current],
          [1, 1],
          [2, 'x'.repeat(5_000)],
        ]),
      ],
      [
        'data that are no document',
        this.#result([
          [0, current],
          [1, 0],
          [3, 'document'],
        ]),
      ],
      [
        'an unknown field',
        this.#result([
          [0, current],
          [1, 0],
          [9, 1],
        ]),
      ],
      [
        'huge data for a stranger',
        this.#result([
          [0, this.#chance.randomBytes(16)],
          [1, 0],
          [3, large],
        ]),
      ],
      ['a frame over the limit', rawFrame('commandResult', new Uint8Array(wire.LIMITS.bodyBytes + 1))],
      ['data that are nested too deep', rawFrame('commandResult', deep)],
      ['an answer of a server', wire.idle.encode({ pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 1 })],
      [
        'a poll with a field too many',
        rawFrame(
          'poll',
          wire.encodeCbor(
            new Map([
              [0, 1],
              [7, 7],
            ]),
          ),
        ),
      ],
    ];
  }
}

/** Rows that UEM keeps. */
const rows = (): number => stores.uem.read((view) => view.range({ prefix: '', limit: 10_000 })).length;

describe('a device that answers with rubbish', () => {
  it('changes nothing with what is no result; other devices are served; its command ends when it says something right', async () => {
    const [bad, good] = [await activated('bad'), await activated('good')];
    const rubbish = new Rubbish(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const { commandId } = await lab.admin.sendCommand(bad.deviceId, { type: round % 2 === 0 ? 'LOCK_DEVICE' : 'REQUEST_DEVICE_INFO' });
      const command = wire.command.decode(await bad.poll());
      expect(toHex(command.commandId)).toBe(commandId);
      rubbish.current = command.commandId;
      const before = rows();
      for (const [what, bytes] of rubbish.all()) {
        const answer = await sendBytes(bad, bytes);
        expect(ANSWERS, `${what}: ${answer}`).toContain(answer);
        // Whatever is no result for it leaves the command in flight, and it is handed out again as it was.
        expect(lab.admin.command(bad.deviceId, commandId).state, what).toBe('sent');
      }
      expect(rows()).toBe(before);
      expect(wire.command.decode(await bad.poll())).toEqual(command);

      const served = await lab.admin.sendCommand(good.deviceId, { type: 'LOCK_DEVICE' });
      expect((await good.result(wire.command.decode(await good.poll()).commandId)).name).toBe('idle');
      expect(lab.admin.command(good.deviceId, served.commandId).state).toBe('done');

      const ends = round % 3;
      if (ends === 0) await bad.result(command.commandId, { status: 'failed', message: 'x' });
      else if (ends === 1) await bad.result(command.commandId, { data: { rubbish: [1, { deep: [true, 'x'] }], osVersion: 7, applications: 'none' } });
      else await lab.admin.cancelCommand(bad.deviceId, commandId).catch(() => bad.result(command.commandId));
      expect(lab.admin.command(bad.deviceId, commandId).state).toBe(['failed', 'done', 'done'][ends]);
      // A second answer changes nothing any more, whatever it says.
      await bad.result(command.commandId, { status: 'failed', message: 'after all' });
      expect(lab.admin.command(bad.deviceId, commandId).state).toBe(['failed', 'done', 'done'][ends]);
      rubbish.seen.push(command.commandId);
    }
    const entries = lab.journal.entries();
    expect(entries.length).toBeLessThanOrEqual(MAX_JOURNAL_ENTRIES);
    for (const { request, answer, reason = '' } of entries)
      for (const text of [request, answer, reason]) expect(text.length).toBeLessThanOrEqual(MAX_JOURNAL_TEXT_CHARACTERS);
    expect(entries.filter(({ answer }) => answer === '500')).toEqual([]);

    const open = await lab.admin.sendCommand(bad.deviceId, { type: 'LOCK_DEVICE' });
    await bad.poll();
    await lab.admin.removeDevice(bad.deviceId);
    expect(lab.admin.command(bad.deviceId, open.commandId).state).toBe('cancelled');
    rubbish.current = new Uint8Array(16);
    for (const [what, bytes] of rubbish.all())
      expect(['alert revoked', 'alert badMessage', 'HTTP 400', 'HTTP 413'], what).toContain(await sendBytes(bad, bytes));
    expect((await good.poll()).name).toBe('idle');
  });
});
