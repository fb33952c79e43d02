import { ProtocolError } from '../../errors/protocol-error.ts';
import type { CancelTimer, Clock } from '../../ports/clock.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

/** What can happen to one frame on its way. */
export type LinkFault = 'drop' | 'duplicate' | 'delay' | 'corrupt' | 'truncate' | 'split';

/** Which way a frame goes. */
export type LinkDirection = 'initiator-to-responder' | 'responder-to-initiator';

/** One end of a link. */
export interface LinkEnd {
  /** @throws ProtocolError `ERR_TRANSPORT_CLOSED` after `close` of either end. */
  send(bytes: Uint8Array): void;
  /** Names the receiver; what came before is delivered to it first. */
  receive(receiver: LinkReceiver): void;
  close(): void;
}

export interface LinkReceiver {
  /** One frame, or a part of one when the fault is `split`. */
  received(bytes: Uint8Array): void;
  closed(): void;
}

export interface MemoryLinkOptions {
  readonly clock: Clock;
  /** Chooses faults, bits and places. */
  readonly entropy: SeededEntropy;
  readonly latencyMs?: number;
  /** Most that `delay` adds; frames sent meanwhile overtake. */
  readonly maxDelayMs?: number;
  /** Probability of each fault, from 0 to 1, per frame. */
  readonly faults?: Readonly<Partial<Record<LinkFault, number>>>;
  /** Names the faults of one frame instead of chance; undefined leaves it to chance. */
  readonly script?: (direction: LinkDirection, index: number, bytes: Uint8Array) => readonly LinkFault[] | undefined;
  /** Sees each frame as it was sent and what became of it. */
  readonly observe?: (direction: LinkDirection, bytes: Uint8Array, faults: readonly LinkFault[]) => void;
}

export interface MemoryLink {
  readonly initiator: LinkEnd;
  readonly responder: LinkEnd;
  /** Frames on their way. */
  readonly inFlight: number;
  /** Both ends see `closed`; what is on its way is lost. */
  cut(): void;
}

/** Frames on their way in one link; more means that nobody advances the clock. */
const MAX_IN_FLIGHT = 10_000;
const FAULTS: readonly LinkFault[] = ['drop', 'duplicate', 'delay', 'corrupt', 'truncate', 'split'];

/** A duplex link of two ends that loses, doubles, reorders, damages and cuts frames by a seeded choice. */
export function memoryLink(options: MemoryLinkOptions): MemoryLink {
  const { clock, entropy, latencyMs = 1, maxDelayMs = 1_000 } = options;
  const timers = new Set<CancelTimer>();
  let closing = false;
  let closed = false;

  const after = (delayMs: number, callback: () => void): void => {
    if (timers.size >= MAX_IN_FLIGHT) throw new Error('too many frames in flight');
    const cancel = clock.setTimer(delayMs, () => {
      timers.delete(cancel);
      callback();
    });
    timers.add(cancel);
  };

  const end = (direction: LinkDirection, peer: Inbox): LinkEnd['send'] => {
    let index = 0;
    return (bytes) => {
      if (closing) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'link is closed');
      const faults = options.script?.(direction, index++, bytes) ?? FAULTS.filter((fault) => entropy.chance(options.faults?.[fault] ?? 0));
      options.observe?.(direction, bytes, faults);
      if (faults.includes('drop')) return;
      for (let copy = faults.includes('duplicate') ? 2 : 1; copy > 0; copy--) {
        const parts = damaged(bytes, faults, entropy);
        const delayMs = latencyMs + (faults.includes('delay') ? 1 + entropy.below(maxDelayMs) : 0);
        after(delayMs, () => {
          for (const part of parts) peer.deliver(part);
        });
      }
    };
  };

  const [atInitiator, atResponder] = [inbox(), inbox()];
  const cut = (): void => {
    if (closed) return;
    closing = true;
    closed = true;
    for (const cancel of timers) cancel();
    timers.clear();
    atInitiator.close();
    atResponder.close();
  };
  /** A clean end comes after the frames that were sent before it. */
  const close = (): void => {
    if (closing) return;
    closing = true;
    after(latencyMs + maxDelayMs, cut);
  };
  return {
    initiator: { send: end('initiator-to-responder', atResponder), receive: atInitiator.attach, close },
    responder: { send: end('responder-to-initiator', atInitiator), receive: atResponder.attach, close },
    get inFlight() {
      return timers.size;
    },
    cut,
  };
}

interface Inbox {
  deliver(bytes: Uint8Array): void;
  close(): void;
  attach(receiver: LinkReceiver): void;
}

function inbox(): Inbox {
  const early: Uint8Array[] = [];
  let receiver: LinkReceiver | undefined;
  let ended = false;
  return {
    deliver(bytes) {
      if (receiver !== undefined) receiver.received(bytes);
      else if (early.length < MAX_IN_FLIGHT) early.push(bytes);
      else throw new Error('nobody receives the frames of this link');
    },
    close() {
      ended = true;
      receiver?.closed();
    },
    attach(next) {
      receiver = next;
      for (const bytes of early.splice(0)) receiver.received(bytes);
      if (ended) receiver.closed();
    },
  };
}

/** What arrives of one frame: a copy, with the damage that was chosen. */
function damaged(bytes: Uint8Array, faults: readonly LinkFault[], entropy: SeededEntropy): readonly Uint8Array[] {
  let arrived = bytes.slice();
  if (faults.includes('corrupt') && arrived.length > 0) {
    const at = entropy.below(arrived.length);
    arrived[at] = (arrived[at] as number) ^ (1 << entropy.below(8));
  }
  if (faults.includes('truncate') && arrived.length > 0) arrived = arrived.slice(0, entropy.below(arrived.length));
  if (!faults.includes('split') || arrived.length < 2) return [arrived];
  const at = 1 + entropy.below(arrived.length - 1);
  return [arrived.slice(0, at), arrived.slice(at)];
}
