import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addressOf, type Network } from './namespaces.ts';
import { seededBytes } from './seeded-bytes.ts';

/** nginx of Debian on the company's machine: files of `pages` by GET, whatever is put below `/up/` in `up`. */
export async function startWebServer(network: Network, folder: string): Promise<{ readonly pages: string; readonly up: string }> {
  const [pages, up] = [join(folder, 'pages'), join(folder, 'files', 'up')];
  for (const path of [pages, up, join(folder, 'body')]) mkdirSync(path, { recursive: true });
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `user root; daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error;
events {}
http {
  access_log off; client_max_body_size 0; client_body_temp_path ${folder}/body; default_type application/octet-stream;
  server {
    listen ${addressOf('company')}:80;
    root ${pages};
    location /up/ { root ${folder}/files; dav_methods PUT; }
  }
}
`,
  );
  const child = network.start('company', 'nginx', ['-p', folder, '-c', config]);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`nginx ended with ${code}: apt-get install nginx-light`)));
    const look = (): void => {
      try {
        network.run('company', 'curl', ['-sf', '-o', '/dev/null', `http://${addressOf('company')}/up/`, '-X', 'OPTIONS', '--max-time', '2']);
      } catch (error) {
        // curl: 7 is nobody there yet.
        if ((error as { readonly status?: number }).status === 7) return void setTimeout(look, 50);
      }
      resolve();
    };
    look();
  });
  return { pages, up };
}

/** A file of bytes that a seed repeats. */
export function writeSeeded(path: string, seed: number, lengthBytes: number): Promise<void> {
  return pipeline(Readable.from(seededBytes(seed, lengthBytes)), createWriteStream(path));
}
