import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What the bare handler is told: where its key is, and what it answers to each method. */
export interface BareRest {
  readonly key: string;
  readonly certificate: string;
  readonly answers: Readonly<Record<string, { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }>>;
}

/*
 * A process of its own: `node:https` in the TLS mode of the admin listener, and a handler that reads the body, parses it when there is one, and answers the
 * same bytes. The first argument is a file with a `BareRest`.
 */
const { key, certificate, answers }: BareRest = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'));
const server = createServer({ key, cert: certificate, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', noDelay: true });
server.on('request', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const { status, headers, body } = answers[request.method as string] as BareRest['answers'][string];
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` })));
process.on('SIGTERM', () => process.exit(0));
