import { openContainerStorage, openDynamicsRuntime, type PageDynamicsRuntime, webCryptoDeviceKey, webSocketNocTransport } from '@uemkit/dynamics-sdk/browser';
import { nobleCrypto, systemClock, webEntropy } from '@uemkit/protocol/noble';

const form = document.querySelector('form') as HTMLFormElement;
const log = document.querySelector('pre') as HTMLPreElement;
const say = (line: string): void => log.append(`${line}\n`);

const runtime = await openRuntime(document.body.dataset['noc'] as string);
runtime.addEventListener('stage', ({ detail }) => say(`  ${detail.stage}`));
runtime.addEventListener('link', ({ detail }) => say(`  link to the NOC, channel binding: ${detail.binding}`));
say(runtime.isActivated ? 'This page is activated: the password is enough.' : 'Type what the mail says, and a password of your own.');
form.addEventListener('submit', (event) => {
  event.preventDefault();
  work(new FormData(form)).then(
    () => say('Done.'),
    (error) => say(`It did not work: ${error.code ?? ''} ${error.message}`),
  );
});
form.hidden = false;

async function openRuntime(noc: string): Promise<PageDynamicsRuntime> {
  const ports = { crypto: nobleCrypto(), clock: systemClock(), entropy: webEntropy() };
  const database = { indexedDB, keyRange: IDBKeyRange, locks: navigator.locks };
  return openDynamicsRuntime({
    ...ports,
    app: { appId: 'com.example.page', version: '1.0.0.0', platform: 'web' },
    noc: { address: noc, trust: { roots: 'platform', spkiPins: [] } },
    transport: webSocketNocTransport({ webSocket: WebSocket, clock: ports.clock }),
    allowUnboundLink: true, // a page cannot see its TLS connection
    store: await openContainerStorage({ ...database, name: 'state' }),
    openStorage: () => openContainerStorage(database),
    deviceKey: webCryptoDeviceKey({ indexedDB, subtle: crypto.subtle }),
  });
}

async function work(typed: FormData): Promise<void> {
  const [userId, accessKey, password] = ['userId', 'accessKey', 'password'].map((name) => String(typed.get(name))) as [string, string, string];
  const { state, code, error } = await runtime.authorize({ password, ...(accessKey === '' ? {} : { credentials: { userId, accessKey } }) });
  if (state !== 'authorized') throw error ?? new Error(`${state}, ${code}`);
  say(`authorized as ${runtime.getApplicationConfig().userId}`);

  const [server] = runtime.serversInOrder();
  const answer = await runtime.fetch(`http://${server?.server}:${server?.port}/canteen`);
  say(`The wiki says: ${answer.status} ${await answer.text()}`);

  const values = runtime.container?.values;
  const visits = Number(new TextDecoder().decode(await values?.get('visits')) || 0) + 1;
  await values?.put('visits', new TextEncoder().encode(String(visits)));
  say(`The encrypted container counts visit ${visits}`);
}
