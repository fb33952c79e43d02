import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { readRoleFile } from '../../src/data/role-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'add-node-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const [out, error]: [string[], string[]] = [[], []];
  const output = { out: (line: string) => void out.push(`${line}\n`), error: (line: string) => void error.push(`${line}\n`) };
  const code = await main(args, output, () => Promise.resolve('SIGTERM'));
  return { code, out: out.join(''), error: error.join('') };
}

it('makes a node with keys of its own under the root of the lab, once', async () => {
  await run('init', '--data', folder);
  const made = await run('add-node', '--data', folder, '--json');
  const path = join(folder, 'roles', 'connectivity-node-second.json');
  expect(made).toMatchObject({ code: 0, out: `${JSON.stringify({ event: 'made', roleFile: path })}\n` });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const [first, second] = [readRoleFile(join(folder, 'roles', 'connectivity-node.json')), readRoleFile(path)];
  expect([second.role, second.tenantId, second.root]).toEqual([first.role, first.tenantId, first.root]);
  const certificate = new X509Certificate(second.certificate);
  expect(certificate.verify(new X509Certificate(first.root).publicKey)).toBe(true);
  expect(certificate.subjectAltName).toContain('URI:urn:uemkit:role:connectivity-node');
  expect(second.key).not.toBe(first.key);
  expect(second.node?.keyExchangeKey).not.toBe(first.node?.keyExchangeKey);
  // The port of the first one for application servers is not taken again, and the NOC is where it was.
  expect(second.place.ports).toEqual({ ...first.place.ports, proxyServices: 0 });
  expect(second.uem).toBeUndefined();
  const before = readFileSync(path, 'utf8');
  expect((await run('add-node', '--data', folder)).out).toContain('There is a node second already');
  expect(readFileSync(path, 'utf8')).toBe(before);
});

it('is of its own machine, and the others stay where they are', async () => {
  await run('init', '--data', folder);
  expect((await run('add-node', '--data', folder, '--name', 'there', '--host', '10.0.0.7', '--allow-remote')).code).toBe(0);
  const { place, certificate } = readRoleFile(join(folder, 'roles', 'connectivity-node-there.json'));
  expect([place.host, place.roles]).toEqual(['127.0.0.1', { 'connectivity-node': { host: '10.0.0.7', advertise: '10.0.0.7' } }]);
  expect(new X509Certificate(certificate).checkIP('10.0.0.7')).toBe('10.0.0.7');
});

it.each<[string[], number, RegExp]>([
  [['add-node', '--name', 'No. 2'], 2, /--name No. 2: small letters, digits and hyphens/],
  [['add-node', '--name', '../uem'], 2, /--name \.\.\/uem: small letters/],
  [['add-node', '--host', '10.0.0.7'], 2, /--allow-remote/],
  [['add-node'], 1, /uem\.json: there is no such file/],
  [['start', '--direct-port', '0'], 2, /--direct-port is for a Connectivity Node alone/],
  [['start', '--role', 'noc', '--direct-port', '70000'], 2, /--direct-port 70000: a port is 0 to 65535/],
  [['start', '--role', 'noc', '--direct-port', 'x'], 2, /--direct-port x: a port is 0 to 65535/],
])('%j ends with %i', async (args, code, text) => {
  const ended = await run(...args, '--data', folder);
  expect(ended.code).toBe(code);
  expect(ended.error).toMatch(text);
});

it('gives a port of Direct Connect to no other role', async () => {
  await run('init', '--data', folder);
  const ended = await run('start', '--role', 'noc', '--direct-port', '1', '--data', folder);
  expect(ended).toMatchObject({ code: 2, error: expect.stringContaining('--direct-port: Direct Connect is of role connectivity-node, not of noc') });
});
