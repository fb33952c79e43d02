import { ProtocolError } from '@uemkit/protocol';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type { ProxyInstance } from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { connectivityOf } from '../../../src/connections/connectivity-profile.ts';
import { Connector, MAX_STREAMS } from '../../../src/connections/connector.ts';
import { closedBy } from '../../../src/connections/gate.ts';
import type { ByteStream, ConnectionWay, ConnectTarget, WayOptions } from '../../../src/connections/way.ts';

const TARGET = { host: 'wiki.example.com', port: 443 };

const proxy = (id: string): ProxyInstance => ({ id, host: `${id}.example`, port: 17_533, spkiPins: [], keyExchangeKey: new Uint8Array(65), roots: [] });

interface Ended {
  readonly stream: ByteStream;
  error?: Error | undefined;
}

function stream(): Ended {
  let fail: (error: unknown) => void = () => {};
  const closed = new Promise<void>((_, reject) => {
    fail = reject;
  });
  closed.catch(() => {});
  const made: { -readonly [K in keyof Ended]: Ended[K] } = {
    stream: {
      readable: new ReadableStream(),
      writable: new WritableStream(),
      closed,
      destroy(error) {
        made.error = error;
        fail(error);
      },
    },
  };
  return made;
}

type Answer = ProtocolError | ((options: WayOptions) => Promise<ByteStream>);

/** Every way answers by its name; `asked` has the order. */
class Bench {
  readonly clock: FakeClock = fakeClock(0);
  readonly asked: string[] = [];
  readonly opened: Ended[] = [];
  readonly answers = new Map<string, Answer>();
  closed: ProtocolError | undefined;
  profile = connectivityOf({
    'dynamics-connectivity': {
      allowedDomains: [
        { domain: 'example.com', route: 'PROXY', cluster: 'main' },
        { domain: 'other.example.com', route: 'PROXY', cluster: 'straight' },
      ],
      proxyClusters: [
        { name: 'main', proxies: [{ id: 'a', priority: 2 }, { id: 'b1' }, { id: 'b2' }, { id: 'not in the list' }] },
        { name: 'straight', directConnect: true, proxies: [{ id: 'c' }] },
      ],
    },
  });
  readonly proxies = ['a', 'b1', 'b2', 'c'].map(proxy);
  readonly connector: Connector;

  constructor({ canDirectConnect = true } = {}) {
    this.connector = new Connector({
      clock: this.clock,
      entropy: seededEntropy('connector'),
      ways: {
        direct: this.#way('direct'),
        noc: ({ id }) => this.#way(`noc ${id}`),
        ...(canDirectConnect ? { directConnect: ({ id }) => this.#way(`dc ${id}`) } : {}),
      },
      rules: { closedBy: () => this.closed, profile: () => this.profile, proxies: () => this.proxies },
    });
  }

  #way(name: string): ConnectionWay {
    return {
      open: async (target: ConnectTarget, options) => {
        this.asked.push(`${name} ${target.host}`);
        const answer = this.answers.get(name);
        if (answer instanceof ProtocolError) throw answer;
        if (answer !== undefined) return answer(options);
        const made = stream();
        this.opened.push(made);
        return made.stream;
      },
    };
  }

  async open(target = TARGET): Promise<string | undefined> {
    await this.connector.open(target);
    return this.asked.at(-1);
  }
}

const fails = (code: ConstructorParameters<typeof ProtocolError>[0]): ProtocolError => new ProtocolError(code, 'test');

describe('the connector', () => {
  it('goes direct, through the NOC or by Direct Connect, as the profile says', async () => {
    const bench = new Bench();
    expect(await bench.open({ host: 'Public.NET', port: 443 })).toBe('direct public.net');
    expect(await bench.open()).toMatch(/^noc b[12] wiki\.example\.com$/);
    expect(await bench.open({ host: 'x.other.example.com', port: 1 })).toBe('dc c x.other.example.com');
    await expect(bench.open({ host: '10.0.0.1', port: 443 })).rejects.toMatchObject({
      code: 'ERR_CONNECTION_DENIED',
      message: expect.stringMatching(/^10\.0\.0\.1:443 .* no rule of the connectivity profile/),
      details: { why: 'internal' },
    });
    await expect(bench.open({ host: 'no host', port: 443 })).rejects.toMatchObject({
      message: expect.stringMatching(/^the host is .* no name or address/),
      details: { why: 'no host' },
    });
    expect(bench.asked).toHaveLength(3);
  });

  it('takes each Proxy of the highest priority, and one of the next only while those are not there', async () => {
    const bench = new Bench();
    const taken = new Set<string | undefined>();
    for (let turn = 0; turn < 40; turn += 1) taken.add((await bench.open())?.slice(0, 6));
    expect(taken).toEqual(new Set(['noc b1', 'noc b2']));

    bench.answers.set('noc b1', fails('ERR_CONNECTION_PROXY')).set('noc b2', fails('ERR_CONNECTION_LOST'));
    bench.asked.length = 0;
    expect(await bench.open()).toBe('noc a wiki.example.com');
    expect(bench.asked.slice(0, 2).sort()).toEqual(['noc b1 wiki.example.com', 'noc b2 wiki.example.com']);
    // Those that were not there come last for a while.
    bench.asked.length = 0;
    expect(await bench.open()).toBe('noc a wiki.example.com');
    expect(bench.asked).toHaveLength(1);
    bench.answers.clear();
    await bench.clock.advance(30_001);
    expect(await bench.open()).toMatch(/^noc b/);
  });

  it('asks a silent Proxy last also when no caller waited until it was known to be silent', async () => {
    const bench = new Bench();
    let absent: (() => void) | undefined;
    bench.proxies.splice(2, 1);
    bench.answers.set('noc b1', async (options) => {
      absent = options.absent;
      throw fails('ERR_TRANSPORT_TIMEOUT');
    });
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
    absent?.();
    expect(await bench.open()).toBe('noc a wiki.example.com');
    await bench.clock.advance(30_001);
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
  });

  it('says that no Proxy is there after the last one, and when the cluster has none', async () => {
    const bench = new Bench();
    for (const id of ['a', 'b1', 'b2']) bench.answers.set(`noc ${id}`, fails('ERR_CONNECTION_PROXY'));
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY' });
    expect(bench.asked).toHaveLength(3);
    bench.proxies.length = 0;
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY' });
    expect(bench.asked).toHaveLength(3);
  });

  it.each(['ERR_CONNECTION_NOC', 'ERR_CONNECTION_LINK', 'ERR_CONNECTION_TARGET', 'ERR_CONNECTION_DENIED', 'ERR_TRANSPORT_TIMEOUT'] as const)(
    'asks no other Proxy after %s',
    async (code) => {
      const bench = new Bench();
      for (const id of ['a', 'b1', 'b2']) bench.answers.set(`noc ${id}`, fails(code));
      await expect(bench.open()).rejects.toMatchObject({ code });
      expect(bench.asked).toHaveLength(1);
    },
  );

  it('never falls back from one way to another', async () => {
    const bench = new Bench();
    bench.answers.set('dc c', fails('ERR_CONNECTION_PROXY'));
    await expect(bench.open({ host: 'other.example.com', port: 1 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY' });
    expect(bench.asked).toEqual(['dc c other.example.com']);
    const page = new Bench({ canDirectConnect: false });
    await expect(page.open({ host: 'other.example.com', port: 1 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED' });
    expect(page.asked).toEqual([]);
  });

  it('leads what has no protection of its own through a Proxy or nowhere', async () => {
    const bench = new Bench();
    const sealed = { sealed: true };
    await expect(bench.connector.open({ host: 'public.net', port: 80 }, sealed)).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    await bench.connector.open(TARGET, sealed);
    await bench.connector.open({ host: 'other.example.com', port: 1 }, sealed);
    await bench.connector.open({ host: 'public.net', port: 80 });
    expect(bench.asked.map((asked) => asked.split(' ')[0])).toEqual(['noc', 'dc', 'direct']);
  });

  it('gives each Proxy what is left of the time', async () => {
    const bench = new Bench();
    const given: (number | undefined)[] = [];
    for (const id of ['a', 'b1', 'b2']) {
      bench.answers.set(`noc ${id}`, async ({ timeoutMs }) => {
        given.push(timeoutMs);
        await bench.clock.advance(600);
        throw fails('ERR_CONNECTION_PROXY');
      });
    }
    await expect(bench.connector.open(TARGET, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY' });
    expect(given).toEqual([1_000, 400]);
  });

  it('opens nothing for an app that may not use the network, and ends what is open and what is being opened', async () => {
    const bench = new Bench();
    await bench.open();
    bench.answers.set('direct', ({ signal }) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))));
    const opening = bench.connector.open({ host: 'public.net', port: 443 });
    const locked = fails('ERR_APP_LOCKED');
    bench.closed = locked;
    bench.connector.review();
    await expect(opening).rejects.toBe(locked);
    expect(bench.opened[0]?.error).toBe(locked);
    await expect(bench.open()).rejects.toBe(locked);
    expect(bench.asked).toHaveLength(2);
  });

  it('destroys a stream that comes after the app was locked or the caller gave up', async () => {
    const bench = new Bench();
    const late = stream();
    bench.answers.set('direct', async () => {
      bench.closed = fails('ERR_APP_WIPED');
      bench.connector.review();
      return late.stream;
    });
    await expect(bench.open({ host: 'public.net', port: 443 })).rejects.toMatchObject({ code: 'ERR_APP_WIPED' });
    expect(late.error).toMatchObject({ code: 'ERR_APP_WIPED' });
    await expect(bench.connector.open(TARGET, { signal: AbortSignal.abort('reason') })).rejects.toBe('reason');
  });

  it('ends what a new profile denies or leads another way, and leaves the rest', async () => {
    const bench = new Bench();
    await bench.open();
    await bench.open({ host: 'public.net', port: 443 });
    await bench.open({ host: 'other.example.com', port: 443 });
    bench.profile = connectivityOf({
      'dynamics-connectivity': {
        allowedDomains: [
          { domain: 'example.com', route: 'DENY' },
          { domain: 'other.example.com', route: 'DIRECT' },
        ],
      },
    });
    bench.connector.review();
    expect(bench.opened.map(({ error }) => (error as ProtocolError | undefined)?.code)).toEqual(['ERR_CONNECTION_DENIED', undefined, 'ERR_CONNECTION_LOST']);
    bench.connector.close();
    expect(bench.opened[1]?.error).toMatchObject({ code: 'ERR_USAGE_STATE' });
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('has a bound for open connections, and forgets those that have ended', async () => {
    const bench = new Bench();
    for (let at = 0; at < MAX_STREAMS; at += 1) await bench.open();
    await expect(bench.open()).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    bench.opened[0]?.stream.destroy(new Error('over'));
    await Promise.resolve();
    await Promise.resolve();
    await bench.open();
  });
});

describe('the gate', () => {
  it.each([
    ['authorized', 'GDErrorNone', undefined],
    ['locked', 'GDErrorIdleLockout', undefined],
    ['locked', 'GDErrorPasswordChangeRequired', undefined],
    ['locked', 'GDErrorBlocked', 'ERR_APP_LOCKED'],
    ['locked', 'GDErrorRemoteLockout', 'ERR_APP_LOCKED'],
    ['locked', 'GDErrorAppVersionNotEntitled', 'ERR_APP_LOCKED'],
    // Until the code is told.
    ['locked', 'GDErrorNone', 'ERR_APP_LOCKED'],
    ['wiped', 'GDErrorWiped', 'ERR_APP_WIPED'],
    ['notAuthorized', 'GDErrorNone', 'ERR_APP_NOT_AUTHORIZED'],
    ['notAuthorized', 'GDErrorIdleLockout', 'ERR_APP_NOT_AUTHORIZED'],
  ] as const)('%s by %s: %s', (state, code, expected) => {
    expect(closedBy(state, code)?.code).toBe(expected);
  });
});
