import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JournalEntry } from '@uemkit/lab-server';
import { bundledProgram } from '../../../../scripts/lib/bundled-program.mjs';
import { type Connection, readConnection } from '../../src/admin/connection-file.ts';

const BIN = await bundledProgram(new URL('../../../lab-server/src/bin.ts', import.meta.url));

/** A role as a process of its own. */
export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #journal: string;
  readonly ready: Promise<void>;

  constructor(args: readonly string[], journal: string) {
    this.#journal = journal;
    this.#child = spawn(process.execPath, [BIN, 'start', '--json', '--journal', journal, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    this.ready = new Promise((resolve, reject) => {
      if (stdout !== null) createInterface(stdout).once('line', () => resolve());
      this.#child.once('exit', (code, signal) => reject(new Error(`${args.join(' ')} ended with ${code ?? signal}`)));
    });
    this.ready.catch(() => {});
  }

  /** How often this was answered, over all processes of the role. */
  count(service: string, request: string, answer: string): number {
    const text = existsSync(this.#journal) ? readFileSync(this.#journal, 'utf8') : '';
    // What stands behind the last end of a line is not whole yet.
    const entries = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as JournalEntry);
    return entries.filter((entry) => entry.service === service && entry.request === request && entry.answer === answer).length;
  }

  /** `SIGSTOP`: it is there, and silent. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** A lab whose roles are processes, each with nothing but its own role file. The first node and, made by `add-node`, a second one. */
export class LabProcesses {
  readonly connection: Connection;
  readonly #folder: string;
  readonly #all: RoleProcess[] = [];

  constructor(folder: string, host: string) {
    this.#folder = folder;
    const run = (...args: readonly string[]): void => void execFileSync(process.execPath, [BIN, ...args, '--data', join(folder, 'lab'), '--json']);
    run('init', '--host', host);
    run('add-node', '--name', 'second');
    this.connection = readConnection(join(folder, 'lab', 'connection.json'));
  }

  /** `name`: that of its role file. */
  start(name: string, ...more: readonly string[]): RoleProcess {
    const file = join(this.#folder, 'lab', 'roles', `${name}.json`);
    const started = new RoleProcess(['--join', file, '--data', join(this.#folder, name), ...more], join(this.#folder, `${name}.ndjson`));
    this.#all.push(started);
    return started;
  }

  /** As docs/protocol/12 has it, 12.2: from the key of the certificate. */
  proxyId(name: string): string {
    const { certificate } = JSON.parse(readFileSync(join(this.#folder, 'lab', 'roles', `${name}.json`), 'utf8')) as { readonly certificate: string };
    const info = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    return `proxy-${createHash('sha256').update(info).digest('hex').slice(0, 32)}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((role) => role.kill()));
  }
}
