import { execFile } from 'node:child_process';

/** Runs openssl with an empty standard input: whether it ended well, and all that it said. */
export function openssl(...args: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((resolve) => {
    const child = execFile('openssl', args, (error, stdout, stderr) => resolve({ ok: error === null, text: stdout + stderr }));
    child.stdin?.end();
  });
}
