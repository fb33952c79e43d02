import { ProtocolError } from '@uemkit/protocol';
import type { AppLink } from '../activation/uem-client-link.ts';
import type { ReceivedMessage } from './message.ts';
import type { OnReceiveMessage, ProvidedService, ServiceRequestMessage } from './provision.ts';
import { ServiceListener } from './receive.ts';
import { sendRequest } from './send.ts';
import { type ServiceApps, type ServiceDetail, type ServiceProvider, serviceApps } from './service-apps.ts';
import type { AttachedServices, ServicesHost, ServicesPart } from './services-port.ts';

/** What `interAppServices` needs. */
export interface InterAppServicesOptions {
  /** Opens a connection to another app of this device; absent: this app asks nobody. @throws ProtocolError `ERR_TRANSPORT_*`; an abort rejects with `signal.reason` */
  connect?(provider: ServiceProvider, signal: AbortSignal): Promise<AppLink>;
}

/** Services between apps of one user on one device. */
export interface InterAppServices extends ServicesPart {
  /** Apps that offer this service, in this version where one is named. Asks nobody; read it again on `servicesupdate`. */
  getServiceProvidersFor(serviceId: string, version?: string): readonly ServiceProvider[];
  /** Apps that offer anything. */
  getServiceProviders(): readonly ServiceProvider[];
  /**
   * Asks another app, and resolves with its reply.
   * @throws ServicesError what the other app answers; before it is asked, `GDServicesErrorApplicationNotFound`, `…ServiceNotFound`, `…ServiceVersionNotFound`, `…InvalidParams`.
   * ProtocolError `ERR_APP_*` when this app is locked, `ERR_REJECTED_BUSY` when the other one is, `ERR_PEER_*`, `ERR_CRYPTO_*` when it is not the app that UEM means,
   * `ERR_TRANSPORT_*`; `signal.reason` after an abort
   */
  sendTo(provider: Pick<ServiceProvider, 'address'>, message: ServiceRequestMessage, options?: SendOptions): Promise<ReceivedMessage>;
  /** Provides a service that UEM says this app offers; takes the place of what provided it before. The result ends it. */
  provide(service: ProvidedService, onReceiveMessage: OnReceiveMessage): () => void;
  /**
   * Serves one connection of another app, until it is answered. `platformId` is what the operating system says of it.
   * @throws ProtocolError when it comes to no answer
   */
  accept(link: AppLink, platformId: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** To the whole answer, milliseconds; ten minutes at most, and unless set. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Services between the Dynamics apps of one user on one device (docs/protocol/14-inter-app-services.md): give it to `openDynamicsRuntime` as `services`, and use it here.
 *
 * @example
 * const services = interAppServices({ connect: serviceSockets((provider) => pathOf(provider)) })
 * const runtime = await openDynamicsRuntime({ ...options, services })
 * const [printer] = services.getServiceProvidersFor('com.example.print', '1.0.0.0')
 * const { params } = await services.sendTo(printer, { serviceId: 'com.example.print', version: '1.0.0.0', method: 'print', params: { copies: 2 } })
 */
export function interAppServices(options: InterAppServicesOptions = {}): InterAppServices {
  return new Services(options);
}

class Services implements InterAppServices, AttachedServices {
  readonly #options: InterAppServicesOptions;
  readonly #listener = new ServiceListener();
  /** Requests of this app that wait. BOUNDED by its own calls. */
  readonly #sending = new Set<AbortController>();
  #host: ServicesHost | undefined;

  constructor(options: InterAppServicesOptions) {
    this.#options = options;
  }

  attach(host: ServicesHost): AttachedServices {
    if (this.#host !== undefined) throw new ProtocolError('ERR_USAGE_STATE', 'these services belong to another runtime; make new ones with interAppServices');
    this.#host = host;
    return this;
  }

  getServiceProviders(): readonly ServiceProvider[] {
    return this.#apps().apps.flatMap(({ sendKey, receiveKey: _receiveKey, instanceId: _instanceId, ...provider }) => (sendKey === undefined ? [] : [provider]));
  }

  getServiceProvidersFor(serviceId: string, version?: string): readonly ServiceProvider[] {
    const offers = (one: ServiceDetail): boolean => one.serviceId === serviceId && (version === undefined || one.version === version);
    return this.getServiceProviders().filter(({ services }) => services.some(offers));
  }

  async sendTo(
    { address }: Pick<ServiceProvider, 'address'>,
    message: ServiceRequestMessage,
    { signal, timeoutMs }: SendOptions = {},
  ): Promise<ReceivedMessage> {
    const { connect } = this.#options;
    const host = this.#require();
    // check: S an app that is closed asks nobody
    const closed = host.closedBy();
    if (closed !== undefined) throw closed;
    if (connect === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'interAppServices was given no connect, so this app asks nobody');
    const abort = new AbortController();
    this.#sending.add(abort);
    try {
      const both = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
      return await sendRequest({ host, connect, address, message, timeoutMs, known: this.#apps(), signal: both });
    } finally {
      this.#sending.delete(abort);
    }
  }

  provide(service: ProvidedService, onReceiveMessage: OnReceiveMessage): () => void {
    return this.#listener.provide(service, onReceiveMessage);
  }

  accept(link: AppLink, platformId: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#listener.accept({ host: this.#require(), link, platformId, signal, known: () => this.#apps() });
  }

  review(): void {
    const closed = this.#host?.closedBy();
    if (closed !== undefined) this.#end(closed);
  }

  close(): void {
    this.#end(new ProtocolError('ERR_USAGE_STATE', 'the runtime is closed'));
  }

  #end(reason: ProtocolError): void {
    for (const abort of this.#sending) abort.abort(reason);
    this.#listener.end(reason);
  }

  #require(): ServicesHost {
    if (this.#host === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'give these services to openDynamicsRuntime first, as its option services');
    return this.#host;
  }

  #apps(): ServiceApps {
    return serviceApps(this.#require().activated()?.data?.policy) ?? { offers: [], platformId: '', apps: [] };
  }
}
