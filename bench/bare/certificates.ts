import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PemIdentity {
  readonly key: string;
  readonly cert: string;
}

export interface BarePki {
  readonly ca: string;
  readonly server: PemIdentity;
  readonly clients: readonly PemIdentity[];
}

/** A P-256 CA, one server and `clients` client certificates, all by the openssl command: nothing of ours is in the baseline. */
export function barePki(clients: number): BarePki {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bare-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  try {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
    openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=bare', '-days', '2', '-out', 'ca.crt');
    const issue = (name: string, extensions: string): PemIdentity => {
      writeFileSync(join(folder, `${name}.ext`), extensions);
      openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.ec`);
      openssl('pkcs8', '-topk8', '-nocrypt', '-in', `${name}.ec`, '-out', `${name}.key`);
      openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.crt`,
      );
      return { key: read(`${name}.key`), cert: read(`${name}.crt`) };
    };
    const server = issue('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n');
    const names = Array.from({ length: clients }, (_, index) => `client${index}`);
    return { ca: read('ca.crt'), server, clients: names.map((name) => issue(name, 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
