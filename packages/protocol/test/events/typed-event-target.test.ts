import { describe, expect, it } from 'vitest';
import { EventEmitterTarget } from '../../src/index.ts';

interface Events {
  readonly ping: { readonly n: number };
  readonly pong: { readonly n: number };
}

class Target extends EventEmitterTarget<Events> {
  ping(n: number): void {
    this.emit('ping', { n });
  }

  pong(n: number): void {
    this.emit('pong', { n });
  }
}

function heardBy(target: Target): { readonly heard: string[]; readonly hear: (event: CustomEvent<{ readonly n: number }>) => void } {
  const heard: string[] = [];
  const hear = (event: CustomEvent<{ readonly n: number }>): void => void heard.push(`${event.type} ${event.detail.n}`);
  target.addEventListener('ping', hear);
  return { heard, hear };
}

describe('typed event target', () => {
  it('tells an event to those who listen to its name', () => {
    const target = new Target();
    const { heard } = heardBy(target);
    target.ping(1);
    target.pong(2);
    expect(heard).toEqual(['ping 1']);
  });

  it('keeps a listener once for each name, as the platform does', () => {
    const target = new Target();
    const { heard, hear } = heardBy(target);
    target.addEventListener('ping', hear);
    target.addEventListener('pong', hear);
    target.ping(1);
    target.pong(2);
    expect(heard).toEqual(['ping 1', 'pong 2']);
  });

  it('forgets a listener of one name and keeps it for another', () => {
    const target = new Target();
    const { heard, hear } = heardBy(target);
    target.addEventListener('pong', hear);
    target.removeEventListener('ping', hear);
    target.ping(1);
    target.pong(2);
    expect(heard).toEqual(['pong 2']);
  });

  it('tells a listener with `once` one event, also when that one causes the next', () => {
    const target = new Target();
    const heard: number[] = [];
    target.addEventListener(
      'ping',
      ({ detail }) => {
        heard.push(detail.n);
        target.ping(detail.n + 1);
      },
      { once: true },
    );
    target.ping(1);
    expect(heard).toEqual([1]);
  });

  it('ends with the signal, and does not begin with one that has ended', () => {
    const target = new Target();
    const [early, late] = [new AbortController(), new AbortController()];
    early.abort();
    const heard: string[] = [];
    target.addEventListener('ping', () => void heard.push('early'), { signal: early.signal });
    target.addEventListener('ping', () => void heard.push('late'), { signal: late.signal });
    target.ping(1);
    late.abort();
    target.ping(2);
    expect(heard).toEqual(['late']);
  });

  it('leaves out who was removed by an earlier listener, and who came during the event', () => {
    const target = new Target();
    const heard: string[] = [];
    const second = (): void => void heard.push('second');
    target.addEventListener('ping', () => {
      heard.push('first');
      target.removeEventListener('ping', second);
      target.addEventListener('ping', () => void heard.push('third'));
    });
    target.addEventListener('ping', second);
    target.ping(1);
    expect(heard).toEqual(['first']);
  });

  it('tells the others when one throws, and leaves the report to the platform', async () => {
    const target = new Target();
    const problem = new Error('of a listener');
    target.addEventListener('ping', () => {
      throw problem;
    });
    const { heard } = heardBy(target);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const reported = new Promise((resolve) => process.once('uncaughtException', resolve));
      target.ping(1);
      expect(heard).toEqual(['ping 1']);
      expect(await reported).toBe(problem);
    } finally {
      for (const other of others) process.on('uncaughtException', other);
    }
  });
});
