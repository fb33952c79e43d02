import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const page = (noc: string): string => `<!doctype html>
<meta charset="utf-8">
<title>An app for work in a page</title>
<link rel="icon" href="data:,">
<body data-noc="${noc}">
<form hidden>
  <label>User <input name="userId" autocomplete="off"></label>
  <label>Access key <input name="accessKey" autocomplete="off" placeholder="empty, once the page is activated"></label>
  <label>Password <input name="password" type="password" autocomplete="off"></label>
  <button>Open</button>
</form>
<pre></pre>
<script type="module" src="/page.js"></script>
`;

/** A web server for one page with one script: the app, as a bundler of a browser makes it. The page may talk to the NOC, and to nobody else. */
export async function servePage(tls: { readonly key: string; readonly cert: string }, wantedPort: number) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    ...{ bundle: true, write: false, minify: true, format: 'esm', platform: 'browser', target: 'es2023' },
    conditions: ['@uemkit/source', 'browser'], // the sources of this repository; not needed with the packages
  });
  const script = outputFiles[0]?.text ?? '';
  let noc = '';
  const server = createServer(tls, ({ url }, response) => {
    const policy = `default-src 'none'; script-src 'self'; img-src data:; connect-src wss://${noc}`;
    if (url === '/') response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end(page(noc));
    else if (url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else response.writeHead(404).end();
  });
  await once(server.listen(wantedPort, '127.0.0.1'), 'listening');
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    scriptKib: Math.round(script.length / 1_024),
    /** From now on the page knows its NOC. */
    tell(address: string): void {
      noc = address;
    },
    close(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}
