import { type AppActivationRecord, type CryptoProvider, ProtocolError, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type { WireDocument } from '@uemkit/protocol/wire';
import type { AppLink } from '../../../src/activation/uem-client-link.ts';
import { type InterAppServices, type InterAppServicesOptions, interAppServices } from '../../../src/services/index.ts';
import type { AttachedServices } from '../../../src/services/services-port.ts';

export const clock: FakeClock = fakeClock(Date.UTC(2026, 10, 23));
export const crypto = nodeCrypto();
export const SERVICE = { serviceId: 'com.example.print', version: '1.0.0.0' };
export const idOf = (name: string): string => `android:com.example.${name}:${'ab'.repeat(32)}`;
export const instanceOf = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
export const keyOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** Two ends of a link in memory. What is sent arrives with the next turn. */
export function linkPair(change: (bytes: Uint8Array, from: 'asking' | 'offering') => readonly Uint8Array[] = (bytes) => [bytes]): {
  readonly asking: AppLink;
  readonly offering: AppLink;
} {
  const receivers: Partial<Record<'asking' | 'offering', Parameters<AppLink['receive']>[0]>> = {};
  // What comes before its receiver waits, as in a socket.
  const waiting = { asking: [] as Uint8Array[], offering: [] as Uint8Array[] };
  const closed = new Set<string>();
  const deliver = (to: 'asking' | 'offering', from: 'asking' | 'offering'): void =>
    queueMicrotask(() => {
      if (receivers[to] === undefined) return;
      for (const bytes of waiting[to].splice(0)) receivers[to].received(bytes);
      if (closed.has(from)) receivers[to].closed();
    });
  const end = (own: 'asking' | 'offering', other: 'asking' | 'offering'): AppLink => ({
    receive(receiver) {
      receivers[own] = receiver;
      deliver(own, other);
    },
    send(frame) {
      if (closed.has(own)) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'closed');
      waiting[other].push(...change(frame.slice(), own));
      deliver(other, own);
    },
    close() {
      closed.add(own);
      deliver(other, own);
    },
  });
  return { asking: end('asking', 'offering'), offering: end('offering', 'asking') };
}

/** One app with its services, as UEM has told it of others. */
export class App {
  readonly services: InterAppServices;
  readonly attached: AttachedServices;
  closed: ProtocolError | undefined;
  document: WireDocument | undefined;
  tenantId: string | undefined = 'tenant-1';
  readonly instanceId: Uint8Array;

  constructor(fill: number, document: WireDocument | undefined, options: InterAppServicesOptions = {}, provider: CryptoProvider = crypto) {
    this.instanceId = instanceOf(fill);
    this.document = document;
    this.services = interAppServices(options);
    this.attached = this.services.attach({
      ports: { crypto: provider, clock, entropy: seededEntropy(`app ${fill} ${made++}`) },
      closedBy: () => this.closed,
      activated: () => this.#record(),
    });
  }

  set(what: Partial<Pick<App, 'closed' | 'document' | 'tenantId'>>): void {
    Object.assign(this, what);
  }

  #record(): AppActivationRecord | undefined {
    if (this.tenantId === undefined) return undefined;
    const policy = this.document === undefined ? {} : { services: this.document };
    return { instanceId: this.instanceId, link: { tenantId: this.tenantId }, data: { policy } } as unknown as AppActivationRecord;
  }
}

let made = 0;

interface OtherApp {
  readonly fill: number;
  readonly name: string;
  readonly offers?: boolean;
  readonly sendKey?: Uint8Array;
  readonly receiveKey?: Uint8Array;
  readonly more?: object;
}

/** What UEM tells of services. */
export function documentOf(name: string, offers: readonly object[], ...apps: readonly OtherApp[]): WireDocument {
  return {
    offers,
    platformId: idOf(name),
    apps: apps.map(({ fill, name: other, offers: isOffering, sendKey, receiveKey, more }) => ({
      ...{ instanceId: instanceOf(fill), applicationId: `com.example.${other}`, name: other, version: '1.0.0.0', platformId: idOf(other) },
      services: isOffering === true ? [SERVICE] : [],
      ...(sendKey === undefined ? {} : { sendKey }),
      ...(receiveKey === undefined ? {} : { receiveKey }),
      ...more,
    })),
  } as unknown as WireDocument;
}

export interface World {
  readonly mail: App;
  readonly print: App;
  /** What `accept` of the printer ended with, in order. */
  readonly accepted: Promise<unknown>[];
  /** What the operating system says of the app that connects. */
  seen: string;
  seeing(id: string): void;
  readonly address: string;
}

/** A mail app that knows of a printer, which is reached over links in memory. */
export function world(change?: Parameters<typeof linkPair>[0], providers: { readonly mail?: CryptoProvider; readonly print?: CryptoProvider } = {}): World {
  const accepted: Promise<unknown>[] = [];
  const print = new App(2, documentOf('print', [SERVICE], { fill: 1, name: 'mail', receiveKey: keyOf(7) }), {}, providers.print);
  const made: World = {
    print,
    accepted,
    seen: idOf('mail'),
    seeing(id) {
      made.seen = id;
    },
    address: toHex(instanceOf(2)),
    mail: new App(
      1,
      documentOf('mail', [], { fill: 2, name: 'print', offers: true, sendKey: keyOf(7) }),
      {
        async connect() {
          const { asking, offering } = linkPair(change);
          accepted.push(
            print.services.accept(offering, made.seen).then(
              () => 'answered',
              (error: unknown) => error,
            ),
          );
          return asking;
        },
      },
      providers.mail,
    ),
  };
  return made;
}

export const MESSAGE = { ...SERVICE, method: 'print', params: { copies: 2 } };
