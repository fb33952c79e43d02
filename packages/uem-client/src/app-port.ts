import type { HandedOver, ProtocolError, StreamLink } from '@uemkit/protocol';
import type { ClientContext } from './ask.ts';
import type { UemClientEvents } from './events.ts';
import type { ActiveDevice } from './state/active-device.ts';

/** One app that has connected to the UEM Client: whole frames and records both ways, see `handshakeStream`. */
export interface AppLink extends StreamLink {
  /** Ends the connection; what was sent before still arrives. Does nothing the second time. Must not throw. */
  close(): void;
}

/** Serves apps on the device (F3.3 to F3.6); made by `appEndpoint` of `@uemkit/uem-client/apps`. A client that no app asks does not pay for it. */
export interface AppEndpoint {
  /** Begins to serve the apps of one active device. At once: between two lives of a device no app may find the keys of the first. */
  attach(host: AppHost): AttachedAppEndpoint;
}

/** The active device that apps ask. */
export interface AppHost {
  readonly context: ClientContext;
  readonly active: ActiveDevice;
  emit<Name extends keyof UemClientEvents>(name: Name, detail: UemClientEvents[Name]): void;
  /** UEM said in passing that the device is not managed any more; only a poll ends it. */
  verdictHeard(): void;
}

/** What serves the apps of one active device. */
export interface AttachedAppEndpoint {
  /** Serves one app until it has a key or is refused; closes the link. @throws ProtocolError with the step; `signal.reason` after an abort */
  accept(link: AppLink, platformId: string, signal: AbortSignal | undefined): Promise<HandedOver>;
  /** The identity goes, or the client rests: nobody who is connected gets a key any more. */
  stop(error: ProtocolError): void;
}
