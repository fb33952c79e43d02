import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundledProgram } from '../../../../scripts/lib/bundled-program.mjs';

const BIN = await bundledProgram(new URL('../../src/bin.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** The emulator as a process of its own, from source. */
export interface EmulatorProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard error has this text; rejects when the process ends without it. */
  said(text: string): Promise<void>;
}

export function startEmulator(...args: readonly string[]): EmulatorProcess {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const heard = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
    for (const check of heard) check();
  });
  const ended = new Promise<Ended>((resolve) => {
    // `close`, not `exit`: the pipes have been read to their end.
    child.once('close', (code, signal) => resolve({ code, signal, out, err }));
  });
  return {
    child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!err.includes(text)) return;
          heard.delete(check);
          resolve();
        };
        heard.add(check);
        check();
        void ended.then(() => reject(new Error(`the emulator ended without "${text}":\n${err}`)));
      }),
  };
}

/** The report in the last line of the output. */
export function reportOf({ out, err }: Ended): Record<string, unknown> {
  const line = out.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`no report in: ${out}\n${err}`, { cause });
  }
}
