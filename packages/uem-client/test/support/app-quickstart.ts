import { appEndpoint } from '../../src/apps/index.ts';
import { createUemClient, type UemClient, type UemClientOptions } from '../../src/index.ts';
import { type AppListener, listenForApps, type PlatformIdentity } from '../../src/node/index.ts';

/** What the device has. */
export interface DeviceForApps {
  readonly ports: UemClientOptions;
  readonly path: string;
  readonly identity: PlatformIdentity;
  /** Platform ids. */
  readonly thisClient: string;
  readonly mail: string;
  activate(client: UemClient): Promise<void>;
  log(...words: readonly (string | undefined)[]): void;
}

/** A client that one app may ask, and its socket. Its middle stands in the README of the package; `app-listener.test.ts` runs it. */
export async function clientForApps({ ports, path, identity, thisClient, mail, activate, log }: DeviceForApps): Promise<{
  readonly client: UemClient;
  readonly listener: AppListener;
}> {
  const client = createUemClient({ ...ports, apps: appEndpoint({ platformId: thisClient, mayAsk: ({ platformId }) => platformId === mail }) });
  await client.open();
  await activate(client);
  client.addEventListener('appprogress', ({ detail }) => log(detail.step, detail.phase, detail.app.appId));
  client.addEventListener('appfailed', ({ detail }) => log(detail.error.step, detail.error.code, detail.platformId));
  const listener = await listenForApps({ client, path, identity });
  return { client, listener };
}
