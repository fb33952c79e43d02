import { keySchedule, type PeerIdentity, ProtocolError, secret, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, rememberedScrypt, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createNocRole } from '../../src/roles/noc/noc.ts';
import type { Role, RoleAnswer, RoleName, ServiceName } from '../../src/roles/role.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

export const crypto = rememberedScrypt(nodeCrypto());
export const NOW_MS = Date.UTC(2026, 5, 1, 12, 0, 0);
export const USER = 'ada@example.com';
export const TENANT = 'tenant';
export const RELAYS: readonly string[] = ['lab.example:17000'];
const SOURCE = '192.0.2.1';

/** An access key as an app knows it. */
export interface BenchKey {
  readonly keyId: Uint8Array;
  readonly akHash: Uint8Array;
}

/** The NOC on a memory store, with a UEM that answers what the test says. */
export class NocBench {
  readonly clock: FakeClock = fakeClock(NOW_MS);
  readonly journal: RingJournal = createRingJournal();
  readonly entropy = seededEntropy('noc bench');
  store = new MemoryStore();
  role!: Role;
  caller: RoleName | { readonly refused: string } = 'uem';
  /** In the certificate of UEM. */
  tenantId = TENANT;
  /** Links whose connections had to break. */
  readonly ended: string[] = [];
  /** Links that are connected for push channels, and those that were told that something waits. */
  readonly connected = new Set<string>();
  readonly waited: string[] = [];
  /** The Proxy that calls. */
  proxy: { readonly proxyId: string; readonly certificate: Uint8Array } | { readonly refused: string } = { refused: 'nobody' };
  /** What UEM was asked. */
  readonly asked: { readonly service: ServiceName; readonly frame: Uint8Array }[] = [];
  /** UEM: an M2 with a new session unless the test says otherwise. */
  uem: (service: ServiceName, frame: Uint8Array) => Promise<RoleAnswer> = async () => ({ status: 'answered', frame: this.reply() });
  sessionId = new Uint8Array(16).fill(7);
  private readonly peers = new Map<string, PeerIdentity>();

  static async start(): Promise<NocBench> {
    const bench = new NocBench();
    await bench.startRole();
    return bench;
  }

  /** As after `kill -9`. */
  async restart(): Promise<void> {
    this.store = this.store.snapshot();
    await this.startRole();
  }

  private async startRole(): Promise<void> {
    const { clock, journal, store } = this;
    this.role = await createNocRole({
      clock,
      crypto,
      entropy: this.entropy.fork(`role ${journal.last}`),
      store,
      journal,
      guard: { roleOf: () => this.caller, tenantOf: () => this.tenantOfCaller(), proxyOf: () => this.proxy },
      uem: {
        request: (service, frame) => {
          this.asked.push({ service, frame });
          return this.uem(service, frame);
        },
      },
      place: { coreId: 'uem-lab', relayAddresses: RELAYS },
      linkEnded: (linkId) => this.ended.push(linkId),
      pushes: { isConnected: (linkId) => this.connected.has(linkId), waits: (linkId) => this.waited.push(linkId) },
    });
  }

  private tenantOfCaller(): { readonly tenantId: string } | { readonly refused: string } {
    if (typeof this.caller === 'object') return this.caller;
    return this.caller === 'uem' ? { tenantId: this.tenantId } : { refused: `role ${this.caller} may not do this` };
  }

  reply(): Uint8Array {
    const frame = wire.handshakeReply.encode({
      version: 1,
      suite: 1,
      ephemeralKey: new Uint8Array(65).fill(4),
      random: new Uint8Array(32),
      sessionId: this.sessionId,
    });
    return Uint8Array.from([...frame, ...new Uint8Array(32)]);
  }

  async ask(service: ServiceName, frame: Uint8Array, source = SOURCE): Promise<wire.Frame> {
    const peer = this.peers.get(source) ?? ({ kind: 'anonymous', source } as const);
    this.peers.set(source, peer);
    const answer = await this.role.handle({ service, frame, peer });
    if (answer.status !== 'answered') throw new ProtocolError('ERR_TRANSPORT_HTTP', answer.status);
    const trailerBytes = wire.peekFrameName(answer.frame) === 'handshakeReply' ? 32 : 0;
    return wire.parseFrame(answer.frame, { trailerBytes });
  }

  /** Code of an answer that is an alert, else its name. */
  async told(service: ServiceName, frame: Uint8Array, source?: string): Promise<string> {
    const answer = await this.ask(service, frame, source);
    return answer.name === 'alert' ? wire.alert.decode(answer).code : answer.name;
  }

  /** UEM registers a key of a user. */
  async register(name: string, { userId = USER, lifeMs = 600_000 }: { readonly userId?: string; readonly lifeMs?: number } = {}): Promise<BenchKey> {
    const entropy = this.entropy.fork(`key ${name}`);
    const key = { keyId: entropy.randomBytes(16), akHash: entropy.randomBytes(32) };
    await this.ask('accessKeys', this.registration(key, { userId, lifeMs }));
    return key;
  }

  registration({ keyId, akHash }: BenchKey, { userId = USER, lifeMs = 600_000 }: { readonly userId?: string; readonly lifeMs?: number } = {}): Uint8Array {
    return wire.nocRegisterKey.encode({
      verifier: keySchedule.nocVerifier(crypto, akHash),
      keyId,
      userIdHash: userIdHash(crypto, userId),
      tenantId: TENANT,
      expiryEpochS: (this.clock.nowMs() + lifeMs) / 1_000,
    });
  }

  verification({ akHash }: Pick<BenchKey, 'akHash'>, userId = USER): Uint8Array {
    return wire.nocVerify.encode({ userId, accessKeyHash: akHash, appId: 'com.example.app', instanceId: new Uint8Array(16).fill(3) });
  }

  /** F3.7, F3.8. */
  async verify(key: BenchKey): Promise<wire.NocProvision> {
    return wire.nocProvision.decode(await this.ask('apps', this.verification(key)));
  }

  /** The set-up message of an app with this token; the NOC cannot judge its MAC. */
  setUp(token: Uint8Array, instance: wire.HandshakeName = 'sc'): Uint8Array {
    const frame = wire.handshakeStart.encode({
      versions: [1],
      suites: [1],
      ephemeralKey: new Uint8Array(65).fill(4),
      random: new Uint8Array(32),
      pskId: token,
      userId: USER,
      instance,
    });
    return Uint8Array.from([...frame, ...new Uint8Array(32).fill(1)]);
  }

  envelope(sessionId = this.sessionId): Uint8Array {
    return wire.nocEnvelope.encode({ sessionId, frame: Uint8Array.of(1, 2, 3) });
  }

  /** Everything that the NOC holds, as text. */
  contents(): string {
    const entries = this.store.read((view) => view.range({ prefix: '', limit: 10_000 }));
    return entries.map(({ key, value }) => `${key} ${Buffer.from(value).toString('hex')}`).join('\n');
  }
}

/** K_tok of somebody else. */
export const OTHER_TOKEN_KEY = secret<'noc-token'>(new Uint8Array(32).fill(9));
