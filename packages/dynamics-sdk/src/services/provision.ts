import type { ReceivedMessage, ServiceMessage } from './message.ts';
import type { ServiceDetail, ServiceProvider } from './service-apps.ts';

/** What is asked of another app. */
export interface ServiceRequestMessage extends ServiceMessage {
  readonly serviceId: string;
  readonly version: string;
  readonly method: string;
}

/** A service that this app provides. */
export interface ProvidedService extends ServiceDetail {
  /** Others are refused (`GDServicesErrorMethodNotFound`) without being shown; absent: every method is shown. */
  readonly methods?: readonly string[] | undefined;
}

/** A request of another app. */
export interface IncomingMessage extends ReceivedMessage, ServiceDetail {
  readonly method: string;
  /** Who asks, as UEM says. */
  readonly from: Pick<ServiceProvider, 'address' | 'applicationId' | 'name' | 'version'>;
  /** Aborts when the other app has gone, or this one is locked: nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /**
   * Answers, once; at most ten minutes after the request.
   * @throws ServicesError `GDServicesErrorInvalidParams`; ProtocolError `ERR_USAGE_STATE` when it was answered already
   */
  replyTo(reply?: ServiceMessage): void;
}

/** May answer later: it need not have answered when it returns. A `ServicesError` that it throws is the answer; of any other error the other app hears `GDServicesErrorGeneral`. */
export type OnReceiveMessage = (message: IncomingMessage) => void | Promise<void>;
