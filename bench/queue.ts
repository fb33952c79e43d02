import { createSecureContext } from 'node:tls';
import * as wire from '@uemkit/protocol/wire';
import { Pool } from 'undici';
import { FRAME_MEDIA_TYPE, SERVICE_PATH } from '../packages/lab-server/src/node/frame-binding.ts';
import { inParallel } from './devices.ts';
import { type Bench, type Figure, reported, round } from './harness.ts';
import { authorize, FLEET_USER, residentMiB, type SeededDevice, type SeededLab, startSeededLab } from './seeded-lab.ts';

const SIZES = [1_000, 10_000] as const;
/** One call takes at most 8 commands a device and 80,000 altogether: 10,000 x 5 is one call. */
const COMMANDS = ['LOCK_DEVICE', 'REQUEST_DEVICE_INFO', 'LOCK_DEVICE', 'REQUEST_INSTALLED_APPS', 'LOCK_DEVICE'] as const;
/** Devices that drain at once. */
const WIDTH = 24;
/** How much more a command may cost in the larger fleet. */
const LINEAR = 1.2;

interface Drained {
  readonly queueCpu: number;
  readonly drainCpu: number;
  readonly rate: number;
  readonly peakMiB: number;
}

/** Commands queued by one bulk call and fetched by polls over mutual TLS until each device is told that it is idle. */
export const bench: Bench = async (progress) => {
  const all: Drained[] = [];
  for (const size of SIZES) {
    progress(`${size} devices`);
    const lab = await startSeededLab(size);
    try {
      all.push(await run(lab));
    } finally {
      await lab.stop();
    }
  }
  const [small, large] = all as [Drained, Drained];
  const linear = (metric: string, read: (drained: Drained) => number): Figure => {
    const ratio = read(large) / read(small);
    return { metric, unit: 'µs', value: round(read(large)), baseline: round(read(small)), ratio: round(ratio), bar: `<= ${LINEAR}`, ok: ratio <= LINEAR };
  };
  const sizes = SIZES.map((size) => size.toLocaleString('en')).join(' and ');
  return [
    linear(`server CPU a command, ${sizes} devices`, ({ queueCpu, drainCpu }) => queueCpu + drainCpu),
    reported('  of it the bulk call', 'µs', large.queueCpu),
    reported('  of it polls, results and TLS', 'µs', large.drainCpu),
    reported('commands drained', '1/s', large.rate),
    reported('server memory at most', 'MiB', large.peakMiB),
  ];
};

async function run({ server, connection, devices }: SeededLab): Promise<Drained> {
  const { admin, tenantId, ca } = connection;
  const count = devices.length * COMMANDS.length;
  const pool = new Pool(admin, { connections: 1, connect: { ca }, headersTimeout: 0 });
  try {
    const send = async (path: string, body: string, headers: Record<string, string>): Promise<string> => {
      const answer = await pool.request({ method: 'POST', path, headers: { 'content-type': 'application/json', ...headers }, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
      return text;
    };
    const authorization = await authorize(connection, (url, body) => send(new URL(url).pathname, body, {}));
    const before = server.cpuMicros();
    const body = JSON.stringify({ commands: COMMANDS.map((type) => ({ type })), query: `username=${FLEET_USER}` });
    const { sent } = JSON.parse(await send(`/${tenantId}/api/v1/deviceCommands`, body, { authorization })) as { readonly sent: number };
    if (sent !== devices.length) throw new Error(`${sent} of ${devices.length} devices got the commands`);
    const queued = server.cpuMicros();
    const startedMs = performance.now();
    await inParallel(devices.length, WIDTH, async (index) => drain(connection.devices, ca, devices[index] as SeededDevice));
    const rate = (count * 1_000) / (performance.now() - startedMs);
    return { queueCpu: (queued - before) / count, drainCpu: (server.cpuMicros() - queued) / count, rate, peakMiB: residentMiB(server.pid).peak };
  } finally {
    await pool.close();
  }
}

/** Polls until the server has nothing more, over one connection. The least device: every command is done; it keeps nothing. */
async function drain(address: string, ca: string, { key, cert }: SeededDevice): Promise<void> {
  const secureContext = createSecureContext({ ca, key, cert, minVersion: 'TLSv1.3' });
  const pool = new Pool(`https://${address}`, { connections: 1, pipelining: 1, connect: { secureContext } as never });
  try {
    let frame = wire.poll.encode({ reason: 'request' });
    let done = 0;
    for (;;) {
      const response = await pool.request({
        method: 'POST',
        path: `${SERVICE_PATH}device`,
        headers: { 'content-type': FRAME_MEDIA_TYPE },
        body: frame,
      });
      const answer = wire.parseFrame(new Uint8Array(await response.body.arrayBuffer()));
      if (answer.name !== 'command') break;
      const { commandId, type } = wire.command.decode(answer);
      const data = type === 'REQUEST_DEVICE_INFO' ? { data: { osVersion: '15', hardwareModel: 'Bench' } } : {};
      frame = wire.commandResult.encode({ commandId, status: 'done', ...data });
      done += 1;
    }
    if (done !== COMMANDS.length) throw new Error(`a device got ${done} of ${COMMANDS.length} commands`);
  } finally {
    await pool.close();
  }
}
