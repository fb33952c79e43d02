import { isProtocolError, toHex } from '@uemkit/protocol';
import type { BrowserState, BrowserStateOptions } from '../../src/browser/index.ts';
import type { OperatingSystem, UemClient, WebSocketConstructor } from '../../src/index.ts';
import { deviceOfPage } from './quickstart.ts';

/** A device in a page: bundled, loaded by Chromium, and driven from the test through `globalThis.device`. */

const browser = globalThis as unknown as {
  readonly indexedDB: BrowserStateOptions['indexedDB'];
  readonly navigator: { readonly locks: BrowserStateOptions['locks'] };
  readonly crypto: { readonly subtle: BrowserStateOptions['subtle'] };
  readonly WebSocket: WebSocketConstructor;
  device: unknown;
};

const LOCKS = 'os/locks';
let store: BrowserState['store'] | undefined;
let client: UemClient | undefined;
const events: string[] = [];
const sent: { readonly url: string; readonly fields: string }[] = [];

/** What a test may have happen on the way. */
let interfere: (url: string, init: RequestInit, go: typeof fetch) => Promise<Response> = (url, init, go) => go(url, init);

function lockable(store: BrowserState['store']): OperatingSystem {
  return {
    pushService: 'fcm',
    deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '14', model: 'Page', clientVersion: '1' }),
    configure: async () => ({ status: 'completed' }),
    async execute({ commandId, type }) {
      const before = (await store.get(LOCKS))?.[0] ?? 0;
      events.push(`carried out ${type} ${toHex(commandId).slice(0, 8)}`);
      return { status: 'done', writes: [{ key: LOCKS, value: Uint8Array.of(before + 1) }] };
    },
    deactivated: async (reason) => void events.push(`deactivated ${reason}`),
  };
}

async function refusal(work: () => Promise<unknown>): Promise<{ readonly code: string; readonly step?: string | undefined } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return isProtocolError(error) ? { code: error.code, step: error.step } : { code: String(error) };
  }
}

function current(): UemClient {
  if (client === undefined) throw new Error('not open');
  return client;
}

browser.device = {
  /** Opens the device of this origin, as a page does when it is loaded. */
  open: () =>
    refusal(async () => {
      const { indexedDB, navigator, crypto, WebSocket } = browser;
      const counted = (url: string, init: RequestInit): Promise<Response> => {
        sent.push({ url, fields: Object.keys(init.headers as object).join(' ') });
        return interfere(url, init, fetch);
      };
      ({ client, store } = await deviceOfPage({ indexedDB, navigator, crypto, WebSocket, fetch: counted, operatingSystem: lockable }));
      for (const name of ['statechange', 'wakeup', 'poll', 'idle', 'pushopen', 'commanddone', 'commandanswered', 'renewed', 'pollfailed'] as const) {
        client.addEventListener(name, ({ detail }) => {
          const { reason, error } = detail as { readonly reason?: string; readonly error?: { readonly code: string } };
          events.push(`${name}${reason === undefined ? '' : ` ${reason}`}${error === undefined ? '' : ` ${error.code}`}`);
        });
      }
      await client.open();
    }),
  activate: (userId: string, password: string, address: string) =>
    refusal(() => current().activate({ kind: 'password', userId, password, infrastructure: { address, trust: { roots: 'platform', spkiPins: [] } } })),
  start: () => current().start(),
  poll: () => refusal(() => current().poll()),
  stop: () => current().stop(),
  state: () => ({ state: current().state, deviceId: current().deviceId, events: [...events], sent: [...sent] }),
  locks: async () => (await store?.get(LOCKS))?.[0] ?? 0,
  /** Answers come as if somebody between had changed the last byte of the body. */
  tamper(wanted: boolean) {
    interfere = async (url, init, go) => {
      const response = await go(url, init);
      if (!wanted || !url.endsWith('/device') || response.status !== 200) return response;
      const body = new Uint8Array(await response.arrayBuffer());
      body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
      return new Response(body, { status: 200, headers: response.headers });
    };
  },
  /** What a script that got into the page can take away of the key. */
  steal: () =>
    new Promise<string>((resolve) => {
      const request = browser.indexedDB.open('uemkit/device', 1);
      request.addEventListener('success', () => {
        const keys = (
          request.result as {
            transaction(s: string): { objectStore(s: string): { getAll(): { result: unknown; addEventListener(n: string, l: () => void): void } } };
          }
        )
          .transaction('keys')
          .objectStore('keys')
          .getAll();
        keys.addEventListener('success', () => {
          const [{ privateKey }] = keys.result as [{ privateKey: { extractable: boolean } }];
          const { exportKey } = browser.crypto.subtle as unknown as { exportKey(format: string, key: unknown): Promise<unknown> };
          exportKey.call(browser.crypto.subtle, 'pkcs8', privateKey).then(
            () => resolve('taken'),
            (error: { name: string }) => resolve(`extractable ${privateKey.extractable}: ${error.name}`),
          );
        });
      });
    }),
};
