import { keyForwardInitiator, keySchedule, type ProtocolError, secret, toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import type * as wire from '@uemkit/protocol/wire';
import type { CoreConnection } from '../../src/roles/uem/core-sessions.ts';
import type { UemRole } from '../../src/roles/uem/uem-role.ts';
import { putAssignment } from '../../src/state/assignments.ts';
import { putConfigurationProfile } from '../../src/state/configuration-profiles.ts';
import { encodeDocument } from '../../src/state/inventory.ts';
import { APP_ID, type AppLab, TestApp, type TestAppOptions } from './app-bench.ts';
import { crypto, NOW_MS } from './uem-bench.ts';

/** The app that wants a key: not activated, on the device of the sibling. */
export const CHAT_ID = 'com.example.chat';
export const CHAT_PLATFORM_ID = `android:com.example.chat:${'ab'.repeat(32)}`;
export const CHAT: wire.AccessKeyForward = {
  appId: CHAT_ID,
  instanceId: new Uint8Array(16).fill(0x21),
  nonce: new Uint8Array(32).fill(0x22),
  platformId: CHAT_PLATFORM_ID,
};

/** The catalogue has the new app, and policy marks these apps as delegates. */
export async function preparedFor(lab: AppLab, activationDelegates: readonly string[] = [APP_ID]): Promise<void> {
  await lab.addApplication(CHAT_ID, { platformIds: [CHAT_PLATFORM_ID] });
  await delegates(lab, activationDelegates);
}

export async function delegates(lab: AppLab, activationDelegates: readonly string[]): Promise<void> {
  const content = encodeDocument({ activationDelegates: [...activationDelegates] });
  const profile = { profileId: 'delegates', kind: 'dynamics', name: 'Delegates', rank: 1, version: 1, content, updatedAtMs: NOW_MS } as const;
  await lab.uem.store.transaction((tx) => {
    putConfigurationProfile(tx, profile);
    putAssignment(tx, { assignee: { kind: 'user', id: lab.userGuid }, object: { kind: 'profile', id: 'delegates' }, createdAtMs: NOW_MS });
  });
}

/** How a request of a sibling ended. */
export type SiblingOutcome = { readonly response: wire.AccessKeyResponse } | { readonly error: ProtocolError };

/** An activated app that asks UEM for keys of other apps, over the protocol’s own machine. */
export class Sibling {
  private readonly lab: AppLab;
  private readonly app: TestApp;
  private runs = 0;

  private constructor(lab: AppLab, app: TestApp) {
    this.lab = lab;
    this.app = app;
  }

  static async activated(lab: AppLab, options: Partial<TestAppOptions> = {}): Promise<Sibling> {
    const app = new TestApp(lab, { key: options.key ?? (await lab.typedKey()).key, ...options });
    const result = await app.run();
    if (result !== 'activated') throw new Error(result);
    return new Sibling(lab, app);
  }

  /** Bytes to UEM and back, as the NOC passes them on. `change` sees what leaves. */
  async ask(
    request: Partial<wire.AccessKeyForward> = {},
    {
      sessionKeyId,
      change = (bytes) => bytes,
    }: { readonly sessionKeyId?: Uint8Array; readonly change?: (bytes: Uint8Array, index: number) => Uint8Array } = {},
  ): Promise<SiblingOutcome> {
    const { data, link } = this.app.output as NonNullable<TestApp['output']>;
    const { instanceId } = this.app.record;
    const { tenantId, coreId } = link;
    const psk = keySchedule.proxyPsk(crypto, secret<'master-session'>(data.masterSessionKey.slice()), coreId);
    const machine = keyForwardInitiator({
      ...{ crypto, entropy: seededEntropy(`sibling ${toHex(instanceId)} ${this.runs++}`), psk },
      prologue: { tenantId, proxyId: coreId, instanceId, keyExchangeKey: data.coreKeyExchangeKey },
      sessionKeyId: sessionKeyId ?? data.sessionKeyId,
      request: { ...CHAT, ...request },
    });
    // UEM sends each frame and record in one piece.
    return new Promise((resolve) => {
      let sent = 0;
      let connection: CoreConnection | undefined;
      const feed = (input: Parameters<typeof machine.handle>[0]): void => {
        for (const effect of machine.handle(input, this.lab.nowMs())) {
          if (effect.type === 'send') connection?.received(change(effect.frame, sent++));
          if (effect.type === 'done') resolve({ response: effect.output });
          if (effect.type === 'fail') resolve({ error: effect.error });
        }
      };
      const socket = {
        send: (bytes: Uint8Array) => {
          const copy = bytes.slice();
          queueMicrotask(() => {
            feed({ type: 'received', frame: copy });
          });
        },
        close: () => queueMicrotask(() => feed({ type: 'closed' })),
      };
      connection = (this.lab.uem.role as UemRole).connectApp(socket, 'noc');
      feed({ type: 'start' });
    });
  }

  /** The alert that UEM answered, a code of an error, or `key`. */
  async told(...asked: Parameters<Sibling['ask']>): Promise<string> {
    const outcome = await this.ask(...asked);
    await this.lab.sync();
    if ('response' in outcome) return 'key';
    const { code, details } = outcome.error;
    return String(details['alert'] ?? code);
  }

  async response(request: Partial<wire.AccessKeyForward> = {}): Promise<wire.AccessKeyResponse> {
    const outcome = await this.ask(request);
    await this.lab.sync();
    if ('error' in outcome) throw outcome.error;
    return outcome.response;
  }
}

/** The new app, with the key that a sibling has got for it. */
export function newApp(lab: AppLab, { accessKey, nonce }: Pick<wire.AccessKeyResponse, 'accessKey' | 'nonce'>, more: Partial<TestAppOptions> = {}): TestApp {
  return new TestApp(lab, { key: { kind: 'assisted', accessKey, nonce }, appId: CHAT_ID, instanceId: CHAT.instanceId, ...more });
}
