import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** OpenLDAP's server, as Debian installs it (package slapd); undefined where it is not. */
export const SLAPD: string | undefined = ['/usr/sbin/slapd', '/usr/libexec/slapd'].find((path) => existsSync(path));

export const SUFFIX = 'dc=example,dc=com';
export const READER = { dn: `cn=reader,${SUFFIX}`, password: 'swordfish' } as const;
/** So many people are in it. */
export const PEOPLE = 500;

const CONFIG = (folder: string): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/cert.pem
TLSCertificateKeyFile ${folder}/key.pem
disallow bind_anon
sizelimit 100
database mdb
suffix "${SUFFIX}"
rootdn "${READER.dn}"
rootpw ${READER.password}
directory ${folder}/data
index mail eq
access to * by dn.exact="${READER.dn}" read by * none
`;

/** The directory of the company on a port of its own network, LDAP over TLS only, with its people in it. @throws Error with what slapd said */
export async function startSlapd({ key, cert }: { readonly key: string; readonly cert: string }): Promise<{ readonly port: number; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slapd-'));
  await mkdir(join(folder, 'data'));
  await Promise.all([writeFile(join(folder, 'key.pem'), key, { mode: 0o600 }), writeFile(join(folder, 'cert.pem'), cert)]);
  await writeFile(join(folder, 'slapd.conf'), CONFIG(folder));
  const ldif = [`dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`, ...people()].join('\n');
  const args = ['-f', join(folder, 'slapd.conf')];
  const added = spawnSync(SLAPD as string, ['-T', 'add', '-q', ...args], { input: ldif, encoding: 'utf8' });
  if (added.status !== 0) throw new Error(`slapadd: ${added.stderr}`);
  const port = await freePort();
  // With -d it stays the process that was started.
  const slapd = spawn(SLAPD as string, ['-d', '0', '-h', `ldaps://127.0.0.1:${port}`, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(slapd, port);
  return {
    port,
    async close() {
      const ended = once(slapd, 'exit');
      slapd.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function* people(): Generator<string> {
  for (let number = 1; number <= PEOPLE; number += 1) {
    const phone = `+49 30 1000${String(number).padStart(3, '0')}`;
    yield `dn: uid=p${number},${SUFFIX}\nobjectClass: inetOrgPerson\nuid: p${number}\ncn: Person ${number}\nsn: Number ${number}\nmail: p${number}@example.com\ntelephoneNumber: ${phone}\n`;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** It says nothing when it is ready: it is when it takes a connection. */
async function listening(slapd: ChildProcess, port: number): Promise<void> {
  let said = '';
  slapd.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  for (;;) {
    if (slapd.exitCode !== null) throw new Error(`slapd ended with ${slapd.exitCode}: ${said}`);
    const probe = connect(port, '127.0.0.1');
    const isThere = await once(probe, 'connect').then(
      () => true,
      () => false,
    );
    probe.destroy();
    if (isThere) return;
    await setTimeout(50);
  }
}
