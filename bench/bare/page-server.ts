import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PemIdentity } from './certificates.ts';

/* An app server of a company: answers each request with 1 KiB, over TLS 1.3. A process of its own. */
const [identity = ''] = process.argv.slice(2);
const page = Buffer.alloc(1_024, 'x');
const server = createServer({ ...(JSON.parse(identity) as PemIdentity), minVersion: 'TLSv1.3' }, (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': page.length }).end(page);
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
process.on('SIGTERM', () => process.exit(0));
