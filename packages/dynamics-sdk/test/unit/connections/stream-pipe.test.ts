import { ProtocolError } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { createPipe, type Pipe, plainStream } from '../../../src/connections/stream-pipe.ts';

/** A carrier that notes what it is asked for. */
class Carrier {
  room = 0;
  readonly sent: number[] = [];
  readonly asked: string[] = [];
  consumed = 0;
  readonly pipe: Pipe = createPipe({
    credit: () => this.room,
    send: (bytes) => {
      this.room -= bytes.length;
      this.sent.push(bytes.length);
    },
    end: () => void this.asked.push('end'),
    cancel: () => void this.asked.push('cancel'),
    consumed: (bytes) => {
      this.consumed += bytes;
    },
  });

  get plain(): NonNullable<ReturnType<typeof plainStream>> {
    return plainStream(this.pipe.stream) as NonNullable<ReturnType<typeof plainStream>>;
  }
}

const LOST = new ProtocolError('ERR_CONNECTION_LOST', 'lost');
const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: { readonly code: string }) => error.code);

describe('a stream without web streams', () => {
  it('gives what has come in order, and room for it when it was taken', () => {
    const { pipe, plain } = new Carrier();
    let woken = 0;
    plain.onReadable(() => {
      woken += 1;
    });
    expect(plain.take()).toBeUndefined();
    pipe.received(Uint8Array.of(1));
    pipe.received(Uint8Array.of(2));
    pipe.ended();
    expect([woken, plain.takenAll()]).toEqual([3, false]);
    expect([plain.take(), plain.take(), plain.take()]).toEqual([Uint8Array.of(1), Uint8Array.of(2), undefined]);
    expect(plain.takenAll()).toBe(true);
  });

  it('takes no more for the reader than it has taken', () => {
    const carrier = new Carrier();
    carrier.pipe.received(new Uint8Array(5));
    carrier.pipe.received(new Uint8Array(6));
    carrier.plain.take();
    expect(carrier.consumed).toBe(5);
  });

  it('sends as much as there is room for, and says when all was sent', () => {
    const carrier = new Carrier();
    const done: unknown[] = [];
    carrier.room = 100_000;
    carrier.plain.write(new Uint8Array(150_000), (error) => done.push(error));
    expect([carrier.sent, done]).toEqual([[65_536, 34_464], []]);
    carrier.room = 60_000;
    carrier.pipe.room();
    expect([carrier.sent.at(-1), carrier.room, done]).toEqual([50_000, 10_000, [undefined]]);
    carrier.plain.end((error) => done.push(error));
    expect([carrier.asked, done]).toEqual([['end'], [undefined, undefined]]);
  });

  it('fails what is being written, and all that comes later, when the carrier breaks', async () => {
    const carrier = new Carrier();
    const done: unknown[] = [];
    carrier.pipe.received(new Uint8Array(1));
    carrier.plain.write(new Uint8Array(1), (error) => done.push(error));
    carrier.pipe.broken(LOST);
    carrier.plain.write(new Uint8Array(1), (error) => done.push(error));
    carrier.plain.end((error) => done.push(error));
    expect([done, carrier.sent, carrier.plain.take(), carrier.plain.takenAll()]).toEqual([[LOST, LOST, LOST], [], undefined, false]);
    expect(carrier.plain.failure).toBe(LOST);
    expect(await outcome(carrier.pipe.stream.closed)).toBe('ERR_CONNECTION_LOST');
  });
});

describe('the web streams of a stream', () => {
  it('break with it, also when they are asked for later', async () => {
    const carrier = new Carrier();
    carrier.pipe.broken(LOST);
    const { readable, writable } = carrier.pipe.stream;
    expect(await outcome(readable.getReader().read())).toBe('ERR_CONNECTION_LOST');
    expect(await outcome(writable.getWriter().write(Uint8Array.of(1)))).toBe('ERR_CONNECTION_LOST');
  });

  it('tell that both halves are over when the reader gives up after the writer has ended', async () => {
    const carrier = new Carrier();
    const { readable, writable, closed } = carrier.pipe.stream;
    await writable.getWriter().close();
    await readable.cancel();
    expect([carrier.asked, await outcome(closed)]).toEqual([['end', 'cancel'], 'ERR_USAGE_STATE']);
  });

  it('tell that both halves are over when the writer gives up after all was read', async () => {
    const carrier = new Carrier();
    const { readable, writable, closed } = carrier.pipe.stream;
    carrier.pipe.ended();
    await readable.getReader().read();
    await writable.abort();
    expect([carrier.asked, await outcome(closed)]).toEqual([['cancel'], 'ERR_USAGE_STATE']);
  });
});
