import { type CancelTimer, isProtocolError, ProtocolError } from '@uemkit/protocol';
import { LIMITS, type ProxyInstance } from '@uemkit/protocol/wire';
import { connectThroughNoc } from './noc-link.ts';
import { type AppProxySession, type OpenProxySession, openDirectSession, openProxySession, type ProxySessionOptions } from './proxy-session.ts';
import { createPipe, type Pipe } from './stream-pipe.ts';
import type { ByteStream, ConnectionWay, ConnectTarget, WayOptions } from './way.ts';

/** Longest time until a target is connected, unless the caller says otherwise. */
const OPEN_MS = 30_000;
/** Until a session stands, which is less than what callers wait: another Proxy can be asked then. More than the NOC waits for the Proxy. */
const BEGIN_MS = 12_000;
/** A session without streams is kept for so long: the next stream begins without a handshake. */
const KEPT_MS = 60_000;

/** What waits for a reader of the app where the platform cannot pause a connection: more ends it. */
export const MAX_UNREAD_BYTES = 4_194_304;

/** The ways through the NOC of one activated app. */
export interface NocWays {
  /** F10.3b: the NOC connects to the server; what runs inside should be TLS of the app, since this way adds none of its own. */
  readonly direct: ConnectionWay;
  /** F10.3a: through this Proxy, end to end under a key that the NOC does not know. The same way for the same id. */
  noc(proxy: ProxyInstance): ConnectionWay;
  /** F11: to this Proxy itself, without the NOC. */
  directConnect(proxy: ProxyInstance): ConnectionWay;
  /** Ends everything: streams break, and keys leave the memory. */
  close(): void;
}

/** The ways of an app through the NOC. No way knows another one: what fails fails. */
export function nocWays(options: ProxySessionOptions): NocWays {
  const keys = { ...options, masterLinkKey: options.masterLinkKey.slice(), masterSessionKey: options.masterSessionKey.slice() };
  const closing = new AbortController();
  // BOUNDED by the Proxies of provisioning data.
  const ways = new Map<string, ConnectionWay>();
  const requireOpen = (): void => closing.signal.throwIfAborted();

  const wayTo = (proxy: ProxyInstance, by: 'noc' | 'direct'): ConnectionWay => {
    requireOpen();
    const name = `${by} ${proxy.id}`;
    const known = ways.get(name);
    if (known !== undefined) return known;
    const way = by === 'noc' ? proxyWay(keys, proxy, closing.signal, openProxySession, 'F10') : proxyWay(keys, proxy, closing.signal, openDirectSession, 'F11');
    ways.set(name, way);
    return way;
  };

  return {
    direct: { open: (target, way) => within(keys, way, closing.signal, (signal) => openDirect(keys, target, signal, closing.signal)) },
    noc: (proxy) => wayTo(proxy, 'noc'),
    directConnect: (proxy) => wayTo(proxy, 'direct'),
    close() {
      closing.abort(new ProtocolError('ERR_USAGE_STATE', 'the connections of the app are closed'));
      keys.masterLinkKey.fill(0);
      keys.masterSessionKey.fill(0);
    },
  };
}

/** One Proxy: new streams go over the newest session; a new one when that has ended or is full. */
function proxyWay(options: ProxySessionOptions, proxy: ProxyInstance, closed: AbortSignal, openSession: OpenProxySession, flow: 'F10' | 'F11'): ConnectionWay {
  const { clock } = options;
  let current: Promise<AppProxySession> | undefined;
  // BOUNDED by the streams of an app: each but the newest was full, and goes with its last stream.
  const sessions = new Set<AppProxySession>();
  let newest: AppProxySession | undefined;
  let cancelIdle: CancelTimer = () => {};
  closed.addEventListener(
    'abort',
    () => {
      cancelIdle();
      for (const session of [...sessions]) session.close();
    },
    { once: true },
  );

  /** In a function of its own: a session does not hold the time limit of its beginning. */
  const inTime = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController();
    const cancel = clock.setTimer(BEGIN_MS, () => late.abort(new ProtocolError('ERR_CONNECTION_PROXY', 'the Proxy does not answer', { step: `${flow}.3` })));
    try {
      return await work(AbortSignal.any([late.signal, closed]));
    } finally {
      cancel();
    }
  };

  /** Who comes while a session begins waits for it; the one who came first does not decide for the others when to give up. */
  const begin = ({ absent = () => {} }: WayOptions): Promise<AppProxySession> => {
    let opened: AppProxySession | undefined;
    const began = inTime((signal) =>
      openSession(options, proxy, signal, () => {
        if (current === began) current = undefined;
        if (opened !== undefined) sessions.delete(opened);
      }),
    );
    current = began;
    began.then(
      (session) => {
        opened = session;
        sessions.add(session);
        if (session.usable) return;
        // It ended between the handshake and now.
        sessions.delete(session);
        if (current === began) current = undefined;
      },
      (error) => {
        if (current === began) current = undefined;
        if (isProtocolError(error) && error.code === 'ERR_CONNECTION_PROXY') absent();
      },
    );
    return began;
  };

  const rest = (used: AppProxySession, isNewest: boolean): void => {
    if (!isNewest) return used.close();
    cancelIdle();
    // Its end ends the last stream, too: nothing is to wait for then.
    if (closed.aborted || !used.usable) return;
    cancelIdle = clock.setTimer(KEPT_MS, () => {
      if (used.openStreams === 0) used.close();
    });
  };

  return {
    open: (target, way) =>
      within(options, way, closed, async (signal, at) => {
        at(`${flow}.3`);
        let asked = current ?? begin(way);
        let used = await raced(asked, signal);
        // Of those who waited for a session the first ones may have filled it.
        while (used.usable && used.full) {
          if (current === asked) current = undefined;
          asked = current ?? begin(way);
          used = await raced(asked, signal);
        }
        cancelIdle();
        // Its last stream ended while the next session began.
        if (newest !== used && newest?.openStreams === 0) newest.close();
        newest = used;
        at(`${flow}.4`);
        const stream = await used.open(target, signal);
        const ended = (): void => {
          if (used.openStreams === 0) rest(used, used === newest);
        };
        stream.closed.then(ended, ended);
        return stream;
      }),
  };
}

/** F10.3b: one connection for each stream. Its two halves end together, and back-pressure is that of the connection. */
async function openDirect(options: ProxySessionOptions, target: ConnectTarget, signal: AbortSignal, closed: AbortSignal): Promise<ByteStream> {
  let pipe: Pipe | undefined;
  let isFull = false;
  let unreadBytes = 0;
  const lost = (cause?: ProtocolError): ProtocolError =>
    new ProtocolError('ERR_CONNECTION_LOST', 'the connection through the NOC broke', { step: 'F10.4', ...(cause === undefined ? {} : { cause }) });
  const early: Uint8Array[] = [];
  const connection = await connectThroughNoc(
    options,
    { to: 'host', ...target },
    {
      onBytes(bytes) {
        if (pipe === undefined) return void early.push(bytes);
        unreadBytes += bytes.length;
        // check: what waits is bounded also where nothing can be paused
        if (!connection.canPause && unreadBytes > MAX_UNREAD_BYTES) {
          pipe.broken(lost(new ProtocolError('ERR_REJECTED_BUSY', 'more comes than is read, and this platform cannot pause a connection')));
          return connection.close();
        }
        if (unreadBytes >= LIMITS.streamWindowBytes) connection.pause();
        pipe.received(bytes);
      },
      onRoom() {
        isFull = false;
        pipe?.room();
      },
      onEnd: () => pipe?.ended(),
      onClose(error) {
        if (error !== undefined) pipe?.broken(lost(error));
        else pipe?.ended();
      },
    },
    signal,
  );
  const opened = createPipe({
    credit: () => (isFull ? 0 : LIMITS.streamWindowBytes),
    send(bytes) {
      // The connection keeps what it is given.
      isFull = !connection.send(new Uint8Array(bytes));
    },
    end: () => connection.end(),
    cancel: () => connection.close(),
    consumed(bytes) {
      const before = unreadBytes;
      unreadBytes -= bytes;
      if (before >= LIMITS.streamWindowBytes && unreadBytes < LIMITS.streamWindowBytes) connection.resume();
    },
  });
  pipe = opened;
  const ended = (): void => opened.stream.destroy(closed.reason);
  closed.addEventListener('abort', ended, { once: true });
  const forget = (): void => {
    closed.removeEventListener('abort', ended);
    connection.close();
  };
  opened.stream.closed.then(forget, forget);
  for (const bytes of early.splice(0)) {
    unreadBytes += bytes.length;
    opened.received(bytes);
  }
  return opened.stream;
}

/** Runs an opening under the signal and the time of its caller. `at` says how far it is. */
async function within(
  { clock }: ProxySessionOptions,
  { signal: asked, timeoutMs = OPEN_MS }: WayOptions,
  closed: AbortSignal,
  work: (signal: AbortSignal, at: (step: string) => void) => Promise<ByteStream>,
): Promise<ByteStream> {
  const late = new AbortController();
  let step = 'F10.3';
  const at = (next: string): void => {
    step = next;
  };
  const cancel = clock.setTimer(timeoutMs, () => late.abort(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'the server was not connected in time', { step })));
  const signals = [late.signal, closed, ...(asked === undefined ? [] : [asked])];
  const signal = AbortSignal.any(signals);
  try {
    signal.throwIfAborted();
    return await work(signal, at);
  } finally {
    cancel();
  }
}

function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
