import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { WebSocketServer } from 'ws';
import { makeRole, makeRoot } from '../packages/lab-server/src/data/lab-certificates.ts';
import { fromPem, privateKeyPem, toPem } from '../packages/lab-server/src/data/pem.ts';
import { makePushIdentities } from '../packages/lab-server/src/data/push-identities.ts';
import { createRingJournal } from '../packages/lab-server/src/journal/journal.ts';
import { listenHttps } from '../packages/lab-server/src/node/http-server.ts';
import { listenProviders } from '../packages/lab-server/src/node/provider-server.ts';
import { pushUpgrade } from '../packages/lab-server/src/node/push-upgrade.ts';
import { createNotificationRole } from '../packages/lab-server/src/roles/notification/notification.ts';
import { MemoryStore } from '../packages/lab-server/src/store/memory-store.ts';

/*
 * The server of the benchmark `push`: the notification services, or a bare `ws` server, with or without TLS. Orders come by IPC: `memory` (resident KiB after
 * garbage collection), `tokens` (those of the devices, which a sender knows before) and `fan` (wake the devices with these tokens; bare: send to every connection; answered with the CPU that it took, acknowledgements included).
 * Run with --expose-gc.
 */
interface FanOrder {
  readonly kind: 'fan';
  /** The devices answer each message. */
  readonly acknowledged: boolean;
}

const [kind = 'ours', tls = 'plain'] = process.argv.slice(2);
const clock = systemClock();
const maker = { crypto: nodeCrypto(), entropy: nodeEntropy(), nowMs: clock.nowMs() };
const root = makeRoot(maker, 'Bench root');
const server = makeRole(maker, root, 'notification', ['localhost', '127.0.0.1']);
const { credentials, accounts } = makePushIdentities(maker, root, '00000000-0000-4000-8000-000000000000');
const pem = { key: privateKeyPem(server.scalar, server.publicKey), certificate: toPem('CERTIFICATE', server.certificate) };
const ca = toPem('CERTIFICATE', root.certificate);
const journal = createRingJournal();
const failed = (error: unknown): void => console.error(error);

const role = await createNotificationRole({
  ...{ clock, crypto: maker.crypto, entropy: maker.entropy, store: new MemoryStore(), journal, accounts },
  ...{ root: root.certificate, origin: 'https://127.0.0.1:1', limits: { perDevicePerMinute: 1e9, perSenderPerMinute: 1e9 } },
});
const bare = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const ours = pushUpgrade({ clock, journal, allows: () => true, connect: (socket, source) => role.connect(socket, source) });
/** Acknowledgements that the bare server waits for, and whom it tells. */
let missing = 0;
let complete: () => void = () => {};
const bareUpgrade: typeof ours = (request, socket, head) =>
  bare.handleUpgrade(request, socket, head, (ws) =>
    ws.once('message', () => {
      ws.send(Buffer.alloc(48));
      ws.on('message', () => {
        if (--missing === 0) complete();
      });
    }),
  );
const upgrade = kind === 'ours' ? ours : bareUpgrade;

let port: number;
if (tls === 'tls') {
  const listener = await listenHttps({
    name: 'push',
    host: '127.0.0.1',
    port: 0,
    tls: pem,
    bodyLimit: () => 0,
    handle: async () => ({ status: 404 }),
    upgrade,
    failed,
  });
  port = listener.port;
} else {
  const plain = createServer();
  plain.on('upgrade', (request, socket, head) => upgrade(request, socket, head, { kind: 'anonymous', source: '127.0.0.1' }));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', 1_024, resolve));
  port = (plain.address() as AddressInfo).port;
}
const providers = await listenProviders({
  ...{ host: '127.0.0.1', port: 0, ...pem, root: ca, failed },
  refused: () => {},
  handle: (request) => role.providers.handle(request, undefined),
  refuse: async (request, why, reason) => role.providers.refuse(request, why, reason),
});

const certificate = fromPem('CERTIFICATE', credentials.apns.certificate);
const body = new TextEncoder().encode('{"mdm":"push magic"}');
let tokens: readonly string[] = [];
/** Resolves when every device has acknowledged; bare without acknowledgements: when everything was sent. */
async function fan({ acknowledged }: FanOrder): Promise<void> {
  if (kind === 'ours') {
    const headers = { 'apns-push-type': 'mdm', 'apns-expiration': String(Math.floor(clock.nowMs() / 1_000) + 3_600) };
    const answers = tokens.map((address) =>
      role.providers.handle({ method: 'POST', target: `/3/device/${address}`, http: '2', headers, body, certificate, source: 'bench' }, undefined),
    );
    const refused = (await Promise.all(answers)).filter(({ status }) => status !== 200);
    if (refused.length > 0) throw new Error(`${refused.length} wake-ups were refused`);
    return;
  }
  const all = new Promise<void>((resolve) => {
    complete = resolve;
  });
  missing = bare.clients.size;
  for (const socket of bare.clients) socket.send(Buffer.alloc(48));
  if (acknowledged) await all;
}

/** Microseconds of CPU of this process, user and system, that a fan takes. */
async function measured(order: FanOrder): Promise<number> {
  const before = process.cpuUsage();
  await fan(order);
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

async function residentKiB(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().rss / 1024;
}

process.on('message', (order: { readonly kind: 'memory' | 'end' } | { readonly kind: 'tokens'; readonly tokens: readonly string[] } | FanOrder) => {
  if (order.kind === 'end') process.exit(0);
  else if (order.kind === 'tokens') tokens = order.tokens;
  else if (order.kind === 'fan') void measured(order).then((cpuMicros) => process.send?.({ cpuMicros }));
  else void residentKiB().then((memoryKiB) => process.send?.({ memoryKiB }));
});
process.send?.({ port, providers: providers.port, ca, credentials: credentials.apns, services: wire.PUSH_SERVICES.length });
