import { seededEntropy } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { beginEventEpoch, eventEpochs, eventPosition, MAX_EVENT_EPOCHS, sequenceOfPosition } from '../../src/state/event-epochs.ts';
import { appendEvent, lastEventSequence } from '../../src/state/events.ts';
import type { LabStore } from '../../src/store/lab-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const entropy = seededEntropy('starts of UEM');

/** The state of a UEM, over its starts. */
class State {
  readonly store: LabStore = new MemoryStore();

  start(): Promise<void> {
    return this.store.transaction((tx) => beginEventEpoch(tx, entropy));
  }

  append(count: number): Promise<void> {
    return this.store.transaction((tx) => {
      for (let n = 0; n < count; n++) appendEvent(tx, { timeMs: 1, type: 'USER_CREATED' });
    });
  }

  get epochs(): readonly string[] {
    return this.store.read(eventEpochs).map(({ epoch, first }) => `${epoch} ${first}`);
  }

  position(sequence: number): string {
    return this.store.read((view) => eventPosition(eventEpochs(view), sequence));
  }

  sequenceOf(position: string): number | undefined {
    return this.store.read((view) => sequenceOfPosition(eventEpochs(view), lastEventSequence(view), position));
  }

  /** Every position that this state has given out. */
  get positions(): readonly string[] {
    return Array.from({ length: this.store.read(lastEventSequence) + 1 }, (_, sequence) => this.position(sequence));
  }
}

/** The same history: what a state did until its backup, told by one function. */
async function history(): Promise<State> {
  const state = new State();
  const own = seededEntropy('before the backup');
  await state.store.transaction((tx) => beginEventEpoch(tx, own));
  await state.append(3);
  await state.store.transaction((tx) => beginEventEpoch(tx, own));
  await state.append(2);
  return state;
}

describe('epochs of events', () => {
  let state: State;
  beforeEach(() => {
    state = new State();
  });

  it('name an event after the start in which it was written, and every position leads back to its event', async () => {
    await state.start();
    await state.append(2);
    await state.start();
    await state.append(1);
    const [zero = '', one = '', two = '', three = ''] = state.positions;
    expect([zero, one, two].map((position) => position.slice(0, 16))).toEqual(Array(3).fill(zero.slice(0, 16)));
    expect(three.slice(0, 16)).not.toBe(zero.slice(0, 16));
    expect([zero, one, two, three].map((position) => state.sequenceOf(position))).toEqual([0, 1, 2, 3]);
    // Each name with the numbers of the other start.
    expect(state.sequenceOf(`${zero.slice(0, 16)}-3`)).toBeUndefined();
    expect(state.sequenceOf(`${three.slice(0, 16)}-2`)).toBeUndefined();
    expect(state.sequenceOf(`${three.slice(0, 16)}-4`)).toBeUndefined();
  });

  it('refuse the positions of what came after a backup, also when as many events have come since, and know those before it', async () => {
    const [lost, restored] = [await history(), await history()];
    await lost.append(10);
    await restored.start();
    for (let round = 0; round < 2; round++) {
      expect(lost.positions.map((position) => restored.sequenceOf(position))).toEqual([0, 1, 2, 3, 4, 5, ...Array(10).fill(undefined)]);
      await restored.append(20);
    }
    // One and the same backup put back once more.
    const again = await history();
    await again.start();
    await again.append(30);
    expect(restored.positions.slice(6).every((position) => again.sequenceOf(position) === undefined)).toBe(true);
  });

  it('refuse what is no position', async () => {
    await state.start();
    await state.append(12);
    const epoch = state.position(1).slice(0, 16);
    for (const text of [
      '',
      '5',
      epoch,
      `${epoch}-`,
      `${epoch}-01`,
      `${epoch}-1.5`,
      `${epoch}--1`,
      ` ${epoch}-1`,
      `${epoch.toUpperCase()}-1x`,
      `${'0'.repeat(16)}-5`,
    ])
      expect([text, state.sequenceOf(text)]).toEqual([text, undefined]);
  });

  it('a start in which nothing happens takes no room, and no position with it', async () => {
    await state.start();
    const before = state.position(0);
    for (let starts = 0; starts < 3; starts++) await state.start();
    expect(state.sequenceOf(before)).toBe(0);
    expect(state.epochs).toHaveLength(2);
    await state.append(1);
    const [zero, one] = state.positions;
    expect([state.sequenceOf(zero ?? ''), state.sequenceOf(one ?? '')]).toEqual([0, 1]);
  });

  it('are bounded: with the oldest its positions are unknown, and its events are named by the next', async () => {
    await state.start();
    await state.append(1);
    const forgotten = state.position(1);
    for (let starts = 0; starts < MAX_EVENT_EPOCHS; starts++) {
      await state.start();
      await state.append(1);
    }
    expect(state.epochs).toHaveLength(MAX_EVENT_EPOCHS);
    expect(state.sequenceOf(forgotten)).toBeUndefined();
    expect(state.positions.map((position) => state.sequenceOf(position))).toEqual(state.positions.map((_, sequence) => sequence));
  });

  it('name the events of a state that was written before there were epochs', async () => {
    await state.append(4);
    await state.start();
    await state.append(1);
    expect(state.positions.map((position) => state.sequenceOf(position))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
