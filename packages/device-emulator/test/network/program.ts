import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Machine, Network } from './namespaces.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const HERE = 'packages/device-emulator/test/network';
/** Bounds a hang. */
const PATIENCE_MS = 300_000;

/** A program of this workspace that prints one JSON object a line. */
export class Program<Line extends object> {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** `script`: path in the workspace, or a file of this folder. */
  constructor(network: Network, machine: Machine, script: string, args: readonly string[]) {
    const path = ROOT + (script.includes('/') ? script : `${HERE}/${script}`);
    this.child = network.start(machine, process.execPath, [
      '--conditions=@uemkit/source',
      '--import',
      `${ROOT}node_modules/tsx/dist/loader.mjs`,
      path,
      ...args,
    ]);
    if (this.child.stdout === null) throw new Error('the program has no standard output');
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  get processId(): number {
    return this.child.pid as number;
  }

  /** The next line. @throws Error when the program ends, or is silent for five minutes */
  async next(): Promise<Line> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`process ${this.processId} is silent`)), PATIENCE_MS);
    });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      if (done === true) throw new Error(`process ${this.processId} has ended`);
      return JSON.parse(value) as Line;
    } finally {
      clearTimeout(timer);
    }
  }
}
