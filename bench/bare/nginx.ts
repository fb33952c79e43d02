import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { procCpuMicros } from '../lab-process.ts';
import type { PemIdentity } from './certificates.ts';

export interface Nginx {
  readonly port: number;
  cpuMicros(): number;
  stop(): Promise<void>;
}

/** nginx of Debian with its stream module: passes each connection on to `to`; with an identity it ends TLS 1.3 there, and with `again` begins TLS 1.3 anew to `to`. One process. */
export async function startNginx(to: number, identity?: PemIdentity, again = false): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-nginx-'));
  const port = await freePort();
  const tls = identity === undefined ? '' : `ssl_certificate ${folder}/server.crt; ssl_certificate_key ${folder}/server.key; ssl_protocols TLSv1.3;`;
  if (identity !== undefined) {
    writeFileSync(join(folder, 'server.crt'), identity.cert);
    writeFileSync(join(folder, 'server.key'), identity.key);
  }
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error;
events {}
stream { server { listen 127.0.0.1:${port}${identity === undefined ? '' : ' ssl'}; ${tls} proxy_pass 127.0.0.1:${to}; ${again ? 'proxy_ssl on; proxy_ssl_protocols TLSv1.3;' : ''} tcp_nodelay on; } }
`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
  await started(child, port);
  return {
    port,
    cpuMicros: () => procCpuMicros(child.pid as number),
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the port answers. */
async function started(child: ChildProcess, port: number): Promise<void> {
  let failure: Error | undefined;
  child.once('error', () => {
    failure = new Error('nginx is not there: apt-get install nginx-light libnginx-mod-stream');
  });
  child.once('exit', (code) => {
    failure ??= new Error(`nginx ended with ${code}`);
  });
  for (;;) {
    if (failure !== undefined) throw failure;
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
