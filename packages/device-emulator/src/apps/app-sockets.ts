import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the local sockets on which apps of one device meet. In a folder of their own below the temporary one: a path has room for 103 bytes, and a run may lie anywhere. */
export class AppSockets {
  readonly #parent: string;
  #folder: Promise<string> | undefined;

  constructor(parent: string) {
    this.#parent = parent;
  }

  async path(ordinal: number): Promise<string> {
    if (process.platform === 'win32') return `\\\\.\\pipe\\uemkit-${process.pid}-${ordinal}`;
    this.#folder ??= mkdtemp(join(this.#parent, 'uemkit-'));
    return join(await this.#folder, `${ordinal}.sock`);
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }
}
