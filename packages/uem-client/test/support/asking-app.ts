import type { Socket } from 'node:net';
import {
  APP_ACTIVATION_KEY,
  type AppActivationRecord,
  type Clock,
  clientOfCertificates,
  drive,
  type Entropy,
  type FrameReceiver,
  handshakeStream,
  type KeyHandOverOutput,
  keyHandOverInitiator,
  keySchedule,
  restoreAppActivation,
  type StreamLink,
} from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type MemoryStore, memoryStore } from '@uemkit/protocol/testing';

const crypto = nodeCrypto();
const signer = (name: string): Uint8Array => crypto.sha256(new TextEncoder().encode(name));

export const CLIENT_ID: string = keySchedule.platformId('android', 'com.example.uem', signer('vendor'));
export const MAIL_ID: string = keySchedule.platformId('android', 'com.example.mail', signer('vendor'));
export const CHAT_ID: string = keySchedule.platformId('android', 'com.example.chat', signer('vendor'));
/** The package of the mail app under another signature. */
export const EVIL_ID: string = keySchedule.platformId('android', 'com.example.mail', signer('mallory'));
export const MAIL_APP = 'com.example.mail';

export interface AskingAppOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly link: StreamLink;
  /** What the operating system says to this app that the two are. */
  readonly platformId?: string;
  readonly clientPlatformId?: string;
  readonly appId?: string;
}

/** One app that asks the UEM Client for a key, with the machine of the protocol. */
export interface AskingApp {
  readonly instanceId: Uint8Array;
  /** Rejects with what stopped the app. */
  readonly ended: Promise<KeyHandOverOutput>;
  /** Code of the error, or `done`. */
  readonly outcome: Promise<string>;
  readonly store: MemoryStore;
  record(): Promise<AppActivationRecord | undefined>;
}

export function askingApp({ clock, entropy, link, platformId = MAIL_ID, clientPlatformId = CLIENT_ID, appId = MAIL_APP }: AskingAppOptions): AskingApp {
  const store = memoryStore();
  const instanceId = entropy.randomBytes(16);
  const machine = keyHandOverInitiator({
    crypto,
    entropy,
    peers: { initiatorPlatformId: platformId, responderPlatformId: clientPlatformId },
    channel: { name: 'ipc', identifyClient: (certificates) => clientOfCertificates(crypto, certificates) },
    appId,
    instanceId,
  });
  const { ended } = drive(machine, { clock, store, link, request: () => Promise.reject(new Error('an app asks its driver for nothing')) });
  const outcome = ended.then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );
  return { instanceId, ended, outcome, store, record: async () => restoreAppActivation(await store.get(APP_ACTIVATION_KEY)) };
}

/** The app's end of a socket. */
export function appLink(socket: Socket): StreamLink {
  const stream = handshakeStream('ipc', 'responder');
  return {
    send: (frame) => void socket.write(frame),
    receive: (receiver: FrameReceiver) => {
      socket.on('data', (chunk) => {
        for (const frame of stream.push(new Uint8Array(chunk as Buffer))) receiver.received(frame);
      });
      socket.on('close', () => receiver.closed());
    },
  };
}
