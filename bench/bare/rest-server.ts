import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { open, type RootDatabase } from 'lmdb';

/** What the bare handler is told: where its key is, and what it answers to each method. */
export interface BareRest {
  readonly key: string;
  readonly certificate: string;
  readonly answers: Readonly<Record<string, { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }>>;
  /** With it, what a request changes is durable before the answer: so many records beside each other under its path, and so many at the end of a list. */
  readonly keep?: { readonly directory: string; readonly besides: number; readonly appended: number; readonly recordBytes: number } | undefined;
}

/*
 * A process of its own: `node:https` in the TLS mode of the admin listener, and a handler that reads the body, parses it when there is one, and answers the
 * same bytes, at once or when the change is on the disk. The first argument is a file with a `BareRest`.
 */
const { key, certificate, answers, keep }: BareRest = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'));
const database = keep === undefined ? undefined : open<Buffer, string>({ path: keep.directory, encoding: 'binary', overlappingSync: false });
let requests = 0;

/** Resolves when it is on the disk, with whatever else came in the same turn. */
async function store(database: RootDatabase<Buffer, string>, { recordBytes, besides, appended }: NonNullable<BareRest['keep']>, path: string): Promise<void> {
  const count = ++requests;
  const record = Buffer.alloc(recordBytes, count);
  await database.transaction(() => {
    for (let n = 0; n < besides; n++) void database.put(`${path}/${n}/${count}`, record);
    for (let n = 0; n < appended; n++) void database.put(`list-${n}/${count.toString().padStart(12, '0')}`, record);
  });
}

const server = createServer({ key, cert: certificate, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', noDelay: true });
server.on('request', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const { status, headers, body } = answers[request.method as string] as BareRest['answers'][string];
    const answer = (): void => {
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    };
    if (database === undefined || keep === undefined) answer();
    else void store(database, keep, request.url as string).then(answer);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` })));
process.on('SIGTERM', () => process.exit(0));
