/**
 * An app outside reads a company's web server that nothing but the Connectivity Node reaches, over a NOC on a machine of its own: `pnpm network [--gib]`.
 * Machines are network namespaces (Linux, root). tcpdump on each cable of the NOC, and the NOC's memory, must show neither content nor keys.
 * Then nginx's files of 0 bytes to 64 MiB, with `--gib` to 1 GiB, go both ways, and a reader pauses in the middle of the largest.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppProcess } from './app-process.ts';
import { Capture, callers } from './capture.ts';
import { addressOf, FORWARDING, MACHINES, Network } from './namespaces.ts';
import { foundInMemory } from './process-memory.ts';
import { startRoles } from './roles.ts';
import { seededBytes, sha256Of, sha256OfFile } from './seeded-bytes.ts';
import { Standing, sentByCompany } from './standing.ts';
import { startWebServer, writeSeeded } from './web-server.ts';

const { values } = parseArgs({ options: { gib: { type: 'boolean', default: false } } });
const HOST = 'wiki.corp.example';
const MIB = 1_048_576;
const SIZES = [0, 1, 1_000, 32_767, 32_768, 65_537, MIB + 1, 64 * MIB, ...(values.gib ? [1_024 * MIB] : [])];
/** What a process may grow by while a reader pauses (issue of the runtime, bad input). */
const GROWTH_BYTES = 32 * MIB;

let passed = 0;
let failed = 0;
const check = (name: string, holds: boolean, seen: unknown = ''): void => {
  process.stdout.write(`${holds ? 'ok    ' : 'FAILED'} ${name}${holds || seen === '' ? '' : `: ${String(seen)}`}\n`);
  if (holds) passed += 1;
  else failed += 1;
};

const folder = mkdtempSync(join(tmpdir(), 'uemkit-network-'));
const network = new Network({ node: { [HOST]: 'company' } });
const stop = (): void => void network.close().finally(() => process.exit(130));
process.once('SIGINT', stop).once('SIGTERM', stop);
try {
  const web = await startWebServer(network, folder);
  const roles = await startRoles(network, folder);
  const accessKey = await roles.administrator(HOST);
  const app = { folder: join(folder, 'app'), noc: roles.noc.address, ca: roles.ca };

  const refusal = network.run('outside', 'sh', ['-c', `curl -s --max-time 5 http://${addressOf('company')}/; echo $?`]).trim();
  check('from outside there is no way to the company', refusal === '7', `curl ended with ${refusal}`);
  const fromNoc = network.run('noc', 'sh', ['-c', `curl -s --max-time 5 http://${addressOf('company')}/; echo $?`]).trim();
  check('from the NOC there is none either', fromNoc === '7', `curl ended with ${fromNoc}`);

  const forwarding = MACHINES.filter((machine) => network.run(machine, 'cat', FORWARDING) !== '0\n0\n');
  check('and no machine forwards packets', forwarding.length === 0, forwarding.join(', '));

  // A page with a word that nobody can guess, read while tcpdump listens.
  const secret = createHash('sha256').update(String(process.hrtime.bigint())).digest('hex');
  const page = `<h1>${secret}</h1>\n`.repeat(1_000);
  writeFileSync(join(web.pages, `${secret.slice(0, 16)}.html`), page);
  const captures = {
    outside: await Capture.start(network, join(folder, 'outside.pcap'), 'noc', 'outside'),
    uem: await Capture.start(network, join(folder, 'uem.pcap'), 'noc', 'uem'),
    node: await Capture.start(network, join(folder, 'node.pcap'), 'noc', 'node'),
    company: await Capture.start(network, join(folder, 'company.pcap'), 'company', 'node'),
  };
  const reader = new AppProcess(network, { ...app, accessKey, tasks: [{ kind: 'read', url: `http://${HOST}/${secret.slice(0, 16)}.html` }] });
  const read = await reader.done();
  check('the app outside reads the page', read.status === 200 && read.sha256 === sha256Of([Buffer.from(page)]), JSON.stringify(read));
  const { keys } = await reader.idle();
  check('its records have keys of their own', keys.length > 0);

  const hidden: Record<string, Buffer> = {
    'the content': Buffer.from(secret),
    'the path': Buffer.from(secret.slice(0, 16)),
    'the host': Buffer.from(HOST),
    'the access key': Buffer.from(accessKey),
    'the access key as it is used': Buffer.from(accessKey.replaceAll('-', '')),
    "the Proxy's private key": roles.proxyKey,
    ...Object.fromEntries(keys.map((key, index) => [`record key ${index + 1}`, Buffer.from(key, 'hex')])),
  };
  // What the NOC does know must be found, or the search finds nothing at all.
  const inMemory = foundInMemory(roles.noc.processId, { ...hidden, 'its tenant': Buffer.from(roles.tenantId) });
  check('the memory of the NOC is searched: its tenant is found', inMemory.includes('its tenant'));
  check(
    'and neither content nor keys',
    inMemory.every((name) => name === 'its tenant'),
    inMemory.join(', '),
  );
  const own = foundInMemory(reader.processId, { 'the content': Buffer.from(secret), 'record key 1': Buffer.from(keys[0] ?? '', 'hex') });
  check('in the memory of the app the same search finds both', own.length === 2, own.join(', '));
  await reader.end();

  const company = await captures.company.end();
  check('tcpdump sees the page on the cable of the company', company.includes(secret) && company.includes(HOST));
  for (const side of ['outside', 'uem', 'node'] as const) {
    const packets = await captures[side].end();
    const seen = Object.entries(hidden).filter(([, needle]) => packets.includes(needle));
    check(
      `and neither content nor keys between NOC and ${side} (${packets.length} bytes)`,
      packets.length > 2_000 && seen.length === 0,
      seen.map(([name]) => name).join(', '),
    );
    if (side === 'node') check('each connection there was begun by the node', sameSet(callers(packets), [addressOf('node')]), [...callers(packets)].join(', '));
    if (side === 'outside')
      check('each connection there was begun from outside', sameSet(callers(packets), [addressOf('outside')]), [...callers(packets)].join(', '));
  }

  // The app is there again without a key, and moves files both ways.
  for (const [seed, lengthBytes] of SIZES.entries()) await writeSeeded(join(web.pages, `${seed}.bin`), seed, lengthBytes);
  const tasks = SIZES.flatMap((lengthBytes, seed) => [
    { kind: 'read' as const, url: `http://${HOST}/${seed}.bin` },
    { kind: 'write' as const, url: `http://${HOST}/up/${seed}.bin`, seed, lengthBytes },
  ]);
  const mover = new AppProcess(network, { ...app, tasks });
  for (const [seed, lengthBytes] of SIZES.entries()) {
    const expected = sha256Of(seededBytes(seed, lengthBytes));
    const down = await mover.done();
    check(`${lengthBytes} bytes from nginx`, down.status === 200 && down.sha256 === expected, JSON.stringify(down));
    const up = await mover.done();
    const stored = await sha256OfFile(join(web.up, `${seed}.bin`));
    check(`${lengthBytes} bytes to nginx`, (up.status === 201 || up.status === 204) && stored === expected, JSON.stringify(up));
    rmSync(join(web.up, `${seed}.bin`), { force: true });
  }
  await mover.idle();
  await mover.end();

  const largest = SIZES.length - 1;
  const sentBefore = sentByCompany(network);
  // A short read first: what a process loads for it is no growth.
  const pausing = new AppProcess(network, {
    ...app,
    tasks: [
      { kind: 'read', url: `http://${HOST}/5.bin` },
      { kind: 'pause', url: `http://${HOST}/${largest}.bin` },
    ],
  });
  await pausing.done();
  const processes = { app: pausing.processId, NOC: roles.noc.processId, Proxy: roles.node.processId };
  const standing = new Standing(network, processes);
  await pausing.paused();
  const grown = await standing.whenStill();
  const sentBytes = sentByCompany(network) - sentBefore;
  check('while its reader pauses, nginx stands', sentBytes < (SIZES[largest] as number) / 2, `${(sentBytes / MIB).toFixed(1)} MiB have left it`);
  for (const [name, grownBytes] of Object.entries(grown))
    check(`while its reader pauses, ${name} grows by less than 32 MiB`, grownBytes < GROWTH_BYTES, `${(grownBytes / MIB).toFixed(1)} MiB`);
  pausing.goOn();
  const rest = await pausing.done();
  check('then the rest comes', rest.sha256 === sha256Of(seededBytes(largest, SIZES[largest] as number)), JSON.stringify(rest));
  await pausing.end();
} finally {
  await network.close();
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function sameSet(seen: ReadonlySet<string>, expected: readonly string[]): boolean {
  return seen.size === expected.length && expected.every((one) => seen.has(one));
}
