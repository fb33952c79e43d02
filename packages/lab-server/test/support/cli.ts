import { type ChildProcess, spawn } from 'node:child_process';
import { bundledProgram } from '../../../../scripts/lib/bundled-program.mjs';

const BIN = await bundledProgram(new URL('../../src/bin.ts', import.meta.url));

/** One run of the program in a process of its own. */
export interface CliRun {
  readonly child: ChildProcess;
  /** Everything that it has printed so far. */
  readonly printed: { out: string; error: string };
  /** The first line of JSON on standard output. @throws Error when the program ends before */
  ready(): Promise<Record<string, unknown>>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function runCli(...args: string[]): CliRun {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const printed = { out: '', error: '' };
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    printed.out += chunk.toString();
    wake();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    printed.error += chunk.toString();
  });
  let ended = false;
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      ended = true;
      wake();
      resolve({ code, signal });
    });
  });
  return {
    child,
    printed,
    exited,
    async ready() {
      while (!printed.out.includes('\n')) {
        if (ended) throw new Error(`the program ended: ${printed.error}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return JSON.parse(printed.out.split('\n')[0] as string);
    },
  };
}
