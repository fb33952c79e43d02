import type { CoreOutput, CoreRequest, CoreResult } from '@uemkit/protocol';
import {
  coreResponder,
  type Driven,
  drive,
  type FrameReceiver,
  handshakeStream,
  isProtocolError,
  ProtocolError,
  type StreamLink,
  wipe,
} from '@uemkit/protocol';
import type { NocRegistrar } from '../../links/noc-registrar.ts';
import type { TenantRecord } from '../../state/tenants.ts';
import type { RoleContext } from '../role.ts';
import { type AskedApp, appKeys } from './app-keys.ts';
import { compareApp, noteApp } from './app-updates.ts';
import { grantToSibling } from './sibling-key.ts';

/** Sessions of apps at once; each ends after LIMITS.handshakeMs. */
export const MAX_CORE_SESSIONS = 256;

/** A connection of an app through the NOC, as UEM sees it. */
export interface CoreSocket {
  send(bytes: Uint8Array): void;
  /** Ends the connection behind what was sent. */
  close(): void;
}

/** What the connection tells UEM. */
export interface CoreConnection {
  received(bytes: Uint8Array): void;
  closed(): void;
}

/** UEM as the far end of `px` (docs/protocol/12, 12.8): activated apps ask here for access keys of other apps (F3.4), and for what has changed (F5.3). */
export interface CoreSessions {
  connect(socket: CoreSocket, source: string): CoreConnection;
  /** Breaks all sessions, and wipes what they hold. */
  close(): void;
}

export interface CoreSessionsOptions extends RoleContext {
  readonly tenant: TenantRecord;
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
  readonly tenantRoots: readonly Uint8Array[];
}

export function createCoreSessions(options: CoreSessionsOptions): CoreSessions {
  // BOUNDED by MAX_CORE_SESSIONS.
  const open = new Set<CoreSession>();
  return {
    connect(socket, source) {
      const session = new CoreSession(options, socket, source);
      if (open.size >= MAX_CORE_SESSIONS) {
        session.turnAway();
        return session;
      }
      open.add(session);
      void session.run().finally(() => open.delete(session));
      return session;
    },
    close() {
      for (const session of open) session.closed();
    },
  };
}

/** Nothing of a session is durable: a crash ends it, and the app asks with another nonce. */
const NO_STORE = { commit: async () => {} };

/** One app, one request. */
class CoreSession implements CoreConnection, StreamLink {
  readonly #options: CoreSessionsOptions;
  readonly #socket: CoreSocket;
  readonly #source: string;
  readonly #stream = handshakeStream('px', 'initiator');
  #receiver: FrameReceiver | undefined;
  #app: AskedApp | undefined;
  /** What was asked for, once it was. */
  #asked: 'handshakeStart' | 'accessKeyForward' | 'appUpdateRequest' | 'appUpdateAck' = 'handshakeStart';
  /** What the app is not told. */
  #reason: string | undefined;

  constructor(options: CoreSessionsOptions, socket: CoreSocket, source: string) {
    this.#options = options;
    this.#socket = socket;
    this.#source = source;
  }

  async run(): Promise<void> {
    const { clock, crypto, entropy } = this.#options;
    const machine = coreResponder({ crypto, entropy });
    try {
      const driven: Driven<never, CoreOutput> = drive(machine, { clock, store: NO_STORE, link: this, request: (request) => this.#request(request) });
      const output = await driven.ended;
      if ('keyId' in output) this.#note('accessKeyResponse', 'F3.5');
      else this.#note('noted', 'F5.5');
    } catch (error) {
      const { code, message, step = 'F3.4' } = isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'bug', { cause: error });
      this.#note('closed', step, this.#reason ?? `${code} ${message}`);
    } finally {
      // However it ended: nothing of the session stays in memory.
      machine.handle({ type: 'closed' }, clock.nowMs());
      wipe(this.#app?.peer.psk, this.#app?.peer.staticScalar);
      this.#receiver = undefined;
      this.#socket.close();
    }
  }

  receive(receiver: FrameReceiver): void {
    this.#receiver = receiver;
  }

  send(frame: Uint8Array): void {
    this.#socket.send(frame);
  }

  turnAway(): void {
    this.#note('closed', 'F3.4', 'too many sessions');
    this.#socket.close();
  }

  received(bytes: Uint8Array): void {
    try {
      for (const frame of this.#stream.push(bytes)) this.#receiver?.received(frame);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#receiver?.closed(error);
    }
  }

  closed(): void {
    this.#receiver?.closed();
  }

  async #request(request: CoreRequest): Promise<CoreResult> {
    const { clock, crypto, store, tenant } = this.#options;
    if (request.type === 'identify') {
      const { pskId, instanceId } = request.start;
      const asked = { sessionKeyId: pskId as Uint8Array, instanceId: instanceId as Uint8Array };
      const found = store.read((view) => appKeys({ crypto, tenant }, view, asked, clock.nowMs()));
      if ('refused' in found) {
        this.#reason = found.refused;
        return { type: 'identified' };
      }
      this.#app = found;
      return { type: 'identified', peer: found.peer };
    }
    try {
      return await this.#answer(request, this.#app as AskedApp);
    } catch (error) {
      if (isProtocolError(error) && error.code === 'ERR_REJECTED_CREDENTIALS') this.#reason = error.message;
      // Nothing was stored: the app comes again.
      if (isProtocolError(error) && error.code === 'ERR_STORE_WRITE') throw new ProtocolError('ERR_REJECTED_BUSY', error.message);
      throw error;
    }
  }

  /** Durable before it is given. */
  async #answer(request: Exclude<CoreRequest, { readonly type: 'identify' }>, { asked }: AskedApp): Promise<CoreResult> {
    const { clock, crypto, entropy, store, noc, tenantRoots } = this.#options;
    const ports = { crypto, entropy, tenantRoots };
    if (request.type === 'compare') {
      this.#asked = 'appUpdateRequest';
      const update = await store.transaction((tx) => compareApp(ports, tx, asked, request.request, clock.nowMs()));
      this.#note('appUpdate', 'F5.4');
      return { type: 'compared', update };
    }
    if (request.type === 'note') {
      this.#asked = 'appUpdateAck';
      await store.transaction((tx) => noteApp(ports, tx, asked, request.report, clock.nowMs()));
      return { type: 'noted' };
    }
    this.#asked = 'accessKeyForward';
    const granted = await store.transaction((tx) => grantToSibling(ports, tx, { asked, request: request.request }, clock.nowMs()));
    if ('refused' in granted) throw new ProtocolError('ERR_REJECTED_CREDENTIALS', granted.refused);
    // The NOC knows the key before the app can show it there.
    noc.tell(granted.keyId);
    await noc.flush();
    return { type: 'granted', response: granted.response };
  }

  #note(answer: string, step: string, reason?: string): void {
    const { clock, journal } = this.#options;
    const request = this.#asked;
    const { userId, deviceId } = this.#app ?? {};
    journal.record({ timeMs: clock.nowMs(), role: 'uem', service: 'px', request, answer, source: this.#source, step, userId, deviceId, reason });
  }
}
