import { clientOfCertificates, type HandshakeSession, handshakeInitiator, type StreamLink } from '@uemkit/protocol';
import { type MemoryLink, memoryLink, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { type AppPolicy, appEndpoint } from '../../src/apps/index.ts';
import { type AskingApp, type AskingAppOptions, askingApp, CLIENT_ID, MAIL_APP, MAIL_ID } from './asking-app.ts';
import { activeTestDevice, crypto, type TestDevice, type TestDeviceOptions } from './test-device.ts';

/** A connection of an app to the client of a device, in virtual time, and what went over it. */
export interface Connection {
  readonly link: MemoryLink;
  /** Names of frames, or `record`, as each side sent them. */
  readonly fromApp: string[];
  readonly toApp: string[];
  /** `done`, or code and step of what `acceptApp` rejected with. */
  outcome: string | undefined;
  error: unknown;
}

export const onlyMail: AppPolicy = { platformId: CLIENT_ID, mayAsk: ({ platformId }) => platformId === MAIL_ID };

export function deviceWithApps(apps: Partial<AppPolicy> = {}, options: TestDeviceOptions = {}): Promise<TestDevice> {
  return activeTestDevice({ ...options, apps: appEndpoint({ ...onlyMail, ...apps }) });
}

let connections = 0;

/** Connects something to the client; `platformId` is what the operating system says that it is. */
export function connect(device: TestDevice, platformId: string = MAIL_ID, signal?: AbortSignal): Connection {
  const fromApp: string[] = [];
  const toApp: string[] = [];
  const link = memoryLink({
    clock: device.clock,
    entropy: seededEntropy(`link ${connections++}`),
    observe: (direction, bytes) => (direction === 'initiator-to-responder' ? fromApp : toApp).push(wire.peekFrameName(bytes) ?? 'record'),
  });
  const connection: Connection = { link, fromApp, toApp, outcome: undefined, error: undefined };
  device.client.acceptApp(link.responder, platformId, { signal }).then(
    () => {
      connection.outcome = 'done';
    },
    (error: { readonly code?: string; readonly step?: string }) => {
      connection.error = error;
      connection.outcome = `${error.code} ${error.step}`;
    },
  );
  return connection;
}

/** An app that runs the protocol over a connection. */
export function runs(device: TestDevice, { link }: Connection, more: Partial<AskingAppOptions> = {}): AskingApp {
  const asking = askingApp({ clock: device.clock, entropy: seededEntropy(`app ${connections++}`), link: link.initiator as StreamLink, ...more });
  asking.ended.catch(() => undefined);
  return asking;
}

export const LYING_INSTANCE: Uint8Array = new Uint8Array(16).fill(0x11);

/** An app that runs the handshake and then says in the channel whatever the test wants; `finishes: false`: it goes silent after M2. */
export function lyingApp({ clock }: TestDevice, { link }: Connection, { finishes = true } = {}): (frame: Uint8Array) => void {
  let session: HandshakeSession | undefined;
  const machine = handshakeInitiator({
    crypto,
    entropy: seededEntropy(`liar ${connections++}`),
    binding: { name: 'ipc', prologue: { initiatorPlatformId: MAIL_ID, responderPlatformId: CLIENT_ID } },
    start: { appId: MAIL_APP, instanceId: LYING_INSTANCE },
    identifyResponder: (certificates) => clientOfCertificates(crypto, certificates).publicKey,
  });
  const handle = (input: Parameters<typeof machine.handle>[0]): void => {
    for (const effect of machine.handle(input, clock.nowMs())) {
      if (effect.type === 'send') link.initiator.send(effect.frame);
      if (effect.type === 'done') session = effect.output;
    }
  };
  link.initiator.receive({
    received: (frame) => {
      if (finishes && session === undefined) handle({ type: 'received', frame });
    },
    closed: () => undefined,
  });
  handle({ type: 'start' });
  return (frame) => {
    if (session?.records.kind !== 'cbc') throw new Error('there is no session yet');
    link.initiator.send(session.records.sealer.seal(frame, clock.nowMs()));
  };
}
