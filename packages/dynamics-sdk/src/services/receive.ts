import {
  drive,
  type HandshakePeer,
  ProtocolError,
  type ServiceAnswer,
  type ServiceCall,
  type ServiceDone,
  type ServiceToDo,
  sameBytes,
  secret,
  serviceResponder,
  wipe,
} from '@uemkit/protocol';
import { alert } from '@uemkit/protocol/wire';
import type { AppLink } from '../activation/uem-client-link.ts';
import { answerOf, contentOf, receivedMessage } from './message.ts';
import type { IncomingMessage, OnReceiveMessage, ProvidedService } from './provision.ts';
import type { ServiceApp, ServiceApps } from './service-apps.ts';
import { ServicesError } from './services-error.ts';
import type { ServicesHost } from './services-port.ts';

/** Connections of other apps at a time. */
export const MAX_SERVICE_CONNECTIONS = 16;
/** Of them of one app. */
export const MAX_SERVICE_CONNECTIONS_OF_APP = 4;

/** One connection of another app. */
export interface Accepting {
  readonly host: ServicesHost;
  readonly link: AppLink;
  readonly platformId: string;
  readonly signal?: AbortSignal | undefined;
  known(): ServiceApps;
}

interface Provision {
  readonly service: ProvidedService;
  readonly onReceiveMessage: OnReceiveMessage;
}

const NO_STORE = { commit: async () => {} };

/** Takes requests of other apps. */
export class ServiceListener {
  /** BOUNDED by what the app provides. */
  readonly #provided = new Map<string, Provision>();
  /** Platform ids by the connection. BOUNDED by MAX_SERVICE_CONNECTIONS. */
  readonly #running = new Map<AbortController, string>();

  provide(service: ProvidedService, onReceiveMessage: OnReceiveMessage): () => void {
    const key = keyOf(service);
    const provision: Provision = { service, onReceiveMessage };
    this.#provided.set(key, provision);
    return () => {
      if (this.#provided.get(key) === provision) this.#provided.delete(key);
    };
  }

  async accept(accepting: Accepting): Promise<void> {
    const { host, link, platformId, signal } = accepting;
    const abort = new AbortController();
    const ofApp = [...this.#running.values()].filter((id) => id === platformId).length;
    // check: S connections of all apps, and of one
    if (this.#running.size >= MAX_SERVICE_CONNECTIONS || ofApp >= MAX_SERVICE_CONNECTIONS_OF_APP) return turnAway(link);
    this.#running.set(abort, platformId);
    const { crypto, entropy, clock } = host.ports;
    const machine = serviceResponder({ crypto, entropy });
    const session = new Session(accepting, this.#provided);
    try {
      const driven = drive<ServiceToDo, ServiceDone, never, ServiceCall>(machine, {
        ...{ clock, store: NO_STORE, link, signal: signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]) },
        request: (request, ended) => session.request(request, ended),
      });
      await driven.ended;
    } finally {
      this.#running.delete(abort);
      // However it ended: nothing of the session stays in memory.
      machine.handle({ type: 'closed' }, clock.nowMs());
      session.wipe();
      link.close();
    }
  }

  end(reason: ProtocolError): void {
    for (const abort of this.#running.keys()) abort.abort(reason);
  }
}

function keyOf({ serviceId, version }: Pick<ProvidedService, 'serviceId' | 'version'>): string {
  return JSON.stringify([serviceId, version]);
}

function turnAway(link: AppLink): never {
  link.receive({ received: () => undefined, closed: () => undefined });
  try {
    link.send(alert.encode({ code: 'busy' }));
  } catch {
    // It has gone already.
  }
  link.close();
  throw new ProtocolError('ERR_REJECTED_BUSY', 'too many apps are connected', { step: 'S.1' });
}

/** What one connection is for. */
class Session {
  readonly #accepting: Accepting;
  readonly #provided: ReadonlyMap<string, Provision>;
  #app: ServiceApp | undefined;
  #peer: HandshakePeer | undefined;

  constructor(accepting: Accepting, provided: ReadonlyMap<string, Provision>) {
    this.#accepting = accepting;
    this.#provided = provided;
  }

  wipe(): void {
    wipe(this.#peer?.psk);
  }

  async request(request: ServiceToDo, ended: AbortSignal): Promise<ServiceDone> {
    const { host } = this.#accepting;
    const closed = host.closedBy();
    // check: S an app that is closed serves nobody; a wiped one is not there any more
    if (closed !== undefined && closed.code !== 'ERR_APP_WIPED') throw new ProtocolError('ERR_REJECTED_BUSY', 'the app serves nobody now', { cause: closed });
    if (request.type === 'serve') return { type: 'served', answer: await this.#serve(request.call, ended) };
    return { type: 'identified', ...(closed === undefined ? this.#identified(request.start) : {}) };
  }

  /** The app that UEM means by this M1, when the operating system says the same. */
  #identified({ instanceId }: Extract<ServiceToDo, { readonly type: 'identify' }>['start']): { readonly peer?: HandshakePeer } {
    const { host, platformId, known } = this.#accepting;
    const record = host.activated();
    const tenantId = record?.link?.tenantId;
    const { apps, platformId: own } = known();
    const app = apps.find((one) => sameBytes(one.instanceId, instanceId as Uint8Array));
    // check: S UEM names the app that asks. That this installation is meant the handshake sees: it is in the prologue.
    if (record === undefined || tenantId === undefined || app?.receiveKey === undefined) return {};
    // check: S it is the package that UEM means
    if (app.platformId !== platformId) return {};
    this.#app = app;
    this.#peer = {
      binding: {
        name: 'svc',
        prologue: { initiatorPlatformId: platformId, responderPlatformId: own, tenantId, instanceId: app.instanceId, responderInstanceId: record.instanceId },
      },
      psk: secret(app.receiveKey.slice()),
    };
    return { peer: this.#peer };
  }

  async #serve(call: ServiceCall, ended: AbortSignal): Promise<ServiceAnswer> {
    try {
      const { onReceiveMessage } = this.#provisionOf(call);
      return await this.#answer(onReceiveMessage, call, ended);
    } catch (error) {
      ended.throwIfAborted();
      return answerOf(error);
    }
  }

  /** @throws ServicesError */
  #provisionOf({ serviceId, version, method }: ServiceCall): Provision {
    const offered = this.#accepting.known().offers.filter((one) => one.serviceId === serviceId);
    // check: S UEM says that this app offers the service
    if (offered.length === 0) throw new ServicesError('GDServicesErrorServiceNotFound', `this app does not offer ${serviceId}`);
    // check: S in this version
    if (!offered.some((one) => one.version === version))
      throw new ServicesError('GDServicesErrorServiceVersionNotFound', `this app does not offer version ${version}`);
    const provision = this.#provided.get(keyOf({ serviceId, version }));
    if (provision === undefined) throw new ServicesError('GDServicesErrorServiceDisabled', 'this app does not provide the service now');
    // check: S the method is one of the service
    if (provision.service.methods?.includes(method) === false)
      throw new ServicesError('GDServicesErrorMethodNotFound', `the service has no method ${method.slice(0, 64)}`);
    return provision;
  }

  #answer(onReceiveMessage: OnReceiveMessage, call: ServiceCall, signal: AbortSignal): Promise<ServiceAnswer> {
    const { serviceId, version, method, ...content } = call;
    const { address, applicationId, name, version: appVersion } = this.#app as ServiceApp;
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const message: IncomingMessage = {
        ...receivedMessage(content),
        ...{ serviceId, version, method, signal, from: { address, applicationId, name, version: appVersion } },
        replyTo(reply = {}) {
          if (isAnswered) throw new ProtocolError('ERR_USAGE_STATE', 'the message was answered already');
          const answer = contentOf(reply);
          isAnswered = true;
          resolve({ type: 'reply', content: answer });
        },
      };
      // What it throws after its answer is nobody's.
      Promise.resolve()
        .then(() => onReceiveMessage(message))
        .catch(reject);
    });
  }
}
