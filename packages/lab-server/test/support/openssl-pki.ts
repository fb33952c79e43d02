import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key with its certificate, PEM. */
export interface PemIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** Certificates made by OpenSSL, so that listeners are tested against an authority that is not ours. */
export interface OpensslPki {
  readonly root: string;
  readonly server: PemIdentity;
  issue(name: string, options?: { readonly usage?: string; readonly startDate?: string; readonly endDate?: string }): PemIdentity;
  /** A certificate of another root with the same name. */
  issueElsewhere(name: string, options?: { readonly startDate: string; readonly endDate: string }): PemIdentity;
  remove(): void;
}

export function opensslPki(): OpensslPki {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-pki-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = (name: string): void => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const newRoot = (name: string): void => {
    newKey(name);
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-subj', '/CN=Test root', '-days', '3650', '-out', `${name}.pem`);
  };
  let issued = 0;
  newRoot('root');
  newRoot('elsewhere');

  const issue = (root: string, name: string, usage: string, dates?: readonly [string, string]): PemIdentity => {
    const id = `leaf-${++issued}`;
    newKey(id);
    openssl('req', '-new', '-key', `${id}.key`, '-subj', `/CN=${name}`, '-out', `${id}.csr`);
    writeFileSync(file(`${id}.ext`), `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${usage}\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n`);
    if (dates === undefined)
      openssl(
        'x509',
        '-req',
        '-in',
        `${id}.csr`,
        '-CA',
        `${root}.pem`,
        '-CAkey',
        `${root}.key`,
        '-CAcreateserial',
        '-days',
        '30',
        '-extfile',
        `${id}.ext`,
        '-out',
        `${id}.pem`,
      );
    else {
      // Only `openssl ca` sets dates in the past.
      writeFileSync(file(`${id}.index`), '');
      writeFileSync(
        file(`${id}.cnf`),
        `[ca]\ndefault_ca=c\n[c]\ndatabase=${id}.index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
      );
      openssl(
        'ca',
        '-batch',
        '-config',
        `${id}.cnf`,
        '-in',
        `${id}.csr`,
        '-cert',
        `${root}.pem`,
        '-keyfile',
        `${root}.key`,
        '-startdate',
        dates[0],
        '-enddate',
        dates[1],
        '-extfile',
        `${id}.ext`,
        '-notext',
        '-out',
        `${id}.pem`,
      );
    }
    return { key: readFileSync(file(`${id}.key`), 'utf8'), certificate: readFileSync(file(`${id}.pem`), 'utf8') };
  };

  return {
    root: readFileSync(file('root.pem'), 'utf8'),
    server: issue('root', 'server', 'serverAuth'),
    issue: (name, { usage = 'clientAuth', startDate, endDate } = {}) =>
      issue('root', name, usage, startDate !== undefined && endDate !== undefined ? [startDate, endDate] : undefined),
    issueElsewhere: (name, dates) => issue('elsewhere', name, 'clientAuth', dates === undefined ? undefined : [dates.startDate, dates.endDate]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
