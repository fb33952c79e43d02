import {
  type CryptoProvider,
  concatBytes,
  type HandshakeBinding,
  type HandshakeEvent,
  type HandshakeRequest,
  type HandshakeSession,
  handshakeInitiator,
  handshakeResponder,
  type ProtocolError,
  type ProxySession,
  proxySessionInitiator,
  proxySessionResponder,
  type RunningSession,
  runProxySession,
  type SecretBytes,
  type SessionCall,
  type SessionEvent,
  type SessionLimits,
  type SessionRecords,
  secret,
  type TransitionListener,
} from '../../../src/index.ts';
import type { Effect } from '../../../src/machine/machine.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import type { GcmOpened, GcmSealer } from '../../../src/record/index.ts';
import { type FakeClock, fakeClock, seededEntropy } from '../../../src/testing/index.ts';

export const crypto = nodeCrypto();
const SCALAR = crypto.sha256(new Uint8Array([1]));
const KEX_KEY = crypto.p256PublicKey(SCALAR);
const INSTANCE_ID = new Uint8Array(16).fill(3);
const PROLOGUE = { tenantId: 'tenant', proxyId: 'proxy-1', instanceId: INSTANCE_ID, keyExchangeKey: KEX_KEY };
const BINDING = { name: 'px', prologue: PROLOGUE } as const;

/** Of one TLS connection of Direct Connect, with this exporter value. */
function direct(fill: number): Extract<HandshakeBinding, { readonly name: 'dc' }> {
  return {
    name: 'dc',
    prologue: { ...PROLOGUE, binding: { kind: 'tls-exporter', value: new Uint8Array(32).fill(fill) }, serverKeyHash: new Uint8Array(32).fill(8) },
  };
}

export interface BenchOptions {
  readonly seed?: string;
  readonly limits?: Partial<SessionLimits>;
  readonly onTransition?: TransitionListener;
  readonly provider?: CryptoProvider;
  /** Another psk than the one of the app; `unknown`: nobody. */
  /** Direct Connect; `two connections`: app and Proxy are the ends of two TLS connections. */
  readonly direct?: 'one connection' | 'two connections' | undefined;
  readonly known?: 'app' | 'wrong key' | 'unknown' | 'busy';
}

/** One end: what it sent and was told. */
export class End {
  readonly machine: ProxySession;
  readonly sent: Uint8Array[] = [];
  readonly events: (SessionEvent | HandshakeEvent)[] = [];
  running!: RunningSession;
  ended: { readonly error: ProtocolError | undefined } | undefined;

  constructor(machine: ProxySession) {
    this.machine = machine;
  }

  /** What was told since the last look. */
  told(): (SessionEvent | HandshakeEvent)[] {
    return this.events.splice(0);
  }
}

export interface Bench {
  readonly clock: FakeClock;
  readonly app: End;
  readonly proxy: End;
  /** Delivers everything, both ways, until nothing is on its way. */
  settle(): Promise<void>;
}

/** Both ends of a session; bytes wait until they are delivered. */
export function bench({ seed = 'session', limits, onTransition, known = 'app', direct: by, provider = crypto }: BenchOptions = {}): Bench {
  const [seen, theirs] = by === undefined ? [BINDING, BINDING] : [direct(1), direct(by === 'one connection' ? 1 : 2)];
  const clock = fakeClock(1_700_000_000_000);
  const psk = (fill: number) => secret<'psk'>(new Uint8Array(32).fill(fill));
  const app = new End(
    proxySessionInitiator({
      ...{ crypto: provider, entropy: seededEntropy(`${seed} app`), limits, onTransition },
      ...{ binding: seen, sessionKeyId: new Uint8Array(16).fill(4), psk: psk(5), responderStaticKey: KEX_KEY },
    }),
  );
  const proxy = new End(proxySessionResponder({ name: seen.name, crypto: provider, entropy: seededEntropy(`${seed} proxy`), limits, onTransition }));
  const run = (end: End, role: 'initiator' | 'responder'): void => {
    end.running = runProxySession(end.machine, role, {
      clock,
      send: (bytes) => void end.sent.push(bytes),
      async identify() {
        if (known === 'unknown') return { type: 'identified' };
        if (known === 'busy') throw new Error('UEM is away');
        const peer = { binding: theirs, psk: psk(known === 'app' ? 5 : 6), staticScalar: secret<'static-scalar'>(SCALAR.slice()) } as const;
        return { type: 'identified', peer };
      },
      onEvent: (event) => void end.events.push(event),
      ended(error) {
        end.ended = { error };
      },
    });
  };
  run(proxy, 'responder');
  run(app, 'initiator');
  const settle = async (): Promise<void> => {
    for (;;) {
      const [fromApp, fromProxy] = [app.sent.splice(0), proxy.sent.splice(0)];
      for (const bytes of fromApp) proxy.running.received(bytes);
      for (const bytes of fromProxy) app.running.received(bytes);
      // The look-up of the app is the one thing that takes turns.
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      if (app.sent.length + proxy.sent.length === 0) return;
    }
  };
  return { clock, app, proxy, settle };
}

/** A session that stands; with stream 0 open when `stream` is true. */
export async function established(options: BenchOptions & { readonly stream?: boolean } = {}): Promise<Bench> {
  const made = bench(options);
  await made.settle();
  if (options.stream === true) {
    made.app.running.call({ type: 'open', streamId: 0, host: 'wiki.example', port: 443 });
    await made.settle();
    made.proxy.running.call({ type: 'accept', streamId: 0 });
    await made.settle();
  }
  made.app.told();
  made.proxy.told();
  return made;
}

/** A Proxy's end with an app that does what it likes behind an honest handshake. */
export interface Rogue {
  readonly clock: FakeClock;
  readonly end: End;
  /** Gives the end one record with these frames. */
  give(...frames: readonly Uint8Array[]): void;
  /** What the owner of the end wants. */
  call(call: SessionCall): void;
  /** Gives the end these bytes as they are. */
  raw(bytes: Uint8Array): void;
  readonly sealer: GcmSealer;
  /** What the end has sent since the last look, opened. */
  opened(): readonly GcmOpened[];
}

/** One honest end, established, and a peer that holds the keys and breaks rules. */
export function rogue(role: 'app' | 'proxy', onTransition?: TransitionListener): Rogue {
  const clock = fakeClock(1_700_000_000_000);
  const psk = (): SecretBytes<'psk'> => secret<'psk'>(new Uint8Array(32).fill(5));
  const sessionKeyId = new Uint8Array(16).fill(4);
  const options = { crypto, entropy: seededEntropy('rogue'), onTransition };
  const end = new End(
    role === 'app'
      ? proxySessionInitiator({ ...options, binding: BINDING, sessionKeyId, psk: psk(), responderStaticKey: KEX_KEY })
      : proxySessionResponder(options),
  );
  const other =
    role === 'app'
      ? handshakeResponder({ name: 'px', crypto, entropy: seededEntropy('other') })
      : handshakeInitiator({
          ...{ crypto, entropy: seededEntropy('other'), binding: BINDING, psk: psk(), responderStaticKey: KEX_KEY },
          start: { pskId: sessionKeyId, instanceId: INSTANCE_ID },
        });
  const peer = { binding: BINDING, psk: psk(), staticScalar: secret<'static-scalar'>(SCALAR.slice()) } as const;
  let records: Extract<SessionRecords, { readonly kind: 'gcm' }> | undefined;
  const take = (effects: readonly Effect<HandshakeRequest, unknown, unknown>[], machine: ProxySession | typeof other): Uint8Array[] => {
    const sent: Uint8Array[] = [];
    for (const effect of effects) {
      if (effect.type === 'send') sent.push(effect.frame);
      if (effect.type === 'request')
        sent.push(...take(machine.handle({ type: 'result', result: { type: 'identified', peer } } as never, clock.nowMs()), machine));
      if (effect.type === 'done' && machine === other) records = (effect.output as HandshakeSession).records as typeof records;
      if (effect.type === 'emit' && machine === end.machine) end.events.push(effect.event as SessionEvent);
      if (effect.type === 'done' && machine === end.machine) end.ended = { error: undefined };
      if (effect.type === 'fail') end.ended = { error: effect.error };
    }
    return sent;
  };
  const feed = (machine: ProxySession | typeof other, frame: Uint8Array): Uint8Array[] =>
    take(machine.handle({ type: 'received', frame }, clock.nowMs()) as never, machine);
  let frames = take((role === 'app' ? end.machine : other).handle({ type: 'start' }, clock.nowMs()) as never, role === 'app' ? end.machine : other);
  for (let to: ProxySession | typeof other = role === 'app' ? other : end.machine; frames.length > 0; to = to === other ? end.machine : other) {
    frames = frames.flatMap((frame) => feed(to, frame));
  }
  end.told();
  const { sealer, opener } = records as NonNullable<typeof records>;
  const given = (record: Uint8Array): void => void end.sent.push(...feed(end.machine, record));
  return {
    clock,
    end,
    sealer,
    call: (call) => void end.sent.push(...take(end.machine.handle({ type: 'call', call }, clock.nowMs()) as never, end.machine)),
    raw: given,
    give: (...parts) => given(sealer.sealData(concatBytes(...parts), clock.nowMs())),
    opened: () => end.sent.splice(0).map((record) => opener.open(record, clock.nowMs())),
  };
}
