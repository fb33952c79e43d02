import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves one page with one script over TLS; the script may talk to any server on this machine, and nothing else is allowed in the page. */
export async function servePage(tls: { readonly key: string; readonly cert: string }, script: string): Promise<PageServer> {
  const policy = "default-src 'none'; script-src 'self'; connect-src https://127.0.0.1:* wss://127.0.0.1:*";
  const server = createServer({ ...tls, minVersion: 'TLSv1.3' }, ({ url }, response) => {
    const [type, text] =
      url === '/page.js' ? ['text/javascript', script] : ['text/html', '<!doctype html><title>device</title><script type="module" src="/page.js"></script>'];
    if (url !== '/page.js' && url !== '/') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Base64 of SHA-256 of the key of whoever listens there, as Chromium takes it. */
export function pinOf(address: string): Promise<string> {
  const { hostname: host, port } = new URL(`https://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
      socket.destroy();
      resolve(
        createHash('sha256')
          .update(spki as Buffer)
          .digest('base64'),
      );
    });
    socket.on('error', reject);
  });
}
