import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { main } from '../../src/cli/main.ts';
import { siteServer } from '../../src/cli/site-child.ts';

/** What a command line came to. */
export interface Call {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Command lines in this process, in a folder of their own. */
export class InProcess {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'in-process-'));
  readonly #labs: LabServer[] = [];

  /** Runs a command line; `heard` sees progress as it is written and may interrupt. */
  async call(argv: readonly string[], heard: (text: string, interrupt: () => void) => void = () => undefined): Promise<Call> {
    let out = '';
    let err = '';
    const interrupts = new Set<() => void>();
    const io: CliIo = {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
        heard(err, () => {
          for (const interrupt of interrupts) interrupt();
        });
      },
      interactive: false,
      env: {},
      cwd: this.folder,
      processId: process.pid,
      temporaryFolder: this.folder,
      onInterrupt: (callback) => {
        interrupts.add(callback);
        return () => interrupts.delete(callback);
      },
      exitNow: (code) => {
        throw new Error(`exit ${code}`);
      },
      startLab: async (labFolder) => {
        const lab = await startLabServer({ folder: labFolder, connectivityNode: true });
        return { connection: lab.connection, processId: process.pid, stop: () => lab.close() };
      },
      startSite: async (url) => {
        const site = siteServer().listen(url === undefined ? 0 : Number(new URL(url).port), '127.0.0.1');
        await once(site, 'listening');
        const stop = async (): Promise<void> => {
          site.close();
          site.closeAllConnections();
        };
        return { url: `http://127.0.0.1:${(site.address() as AddressInfo).port}`, stop };
      },
    };
    const code = await main(argv, io);
    return { code, out, err };
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** A lab server that stays, with its connection.json, as `--target` needs it. */
  async target(): Promise<LabServer> {
    const lab = await startLabServer({ connectivityNode: true });
    this.#labs.push(lab);
    this.write('connection.json', JSON.stringify(lab.connection));
    return lab;
  }

  async close(): Promise<void> {
    for (const lab of this.#labs) await lab.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
