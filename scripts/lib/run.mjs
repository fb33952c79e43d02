import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './generated.mjs';

/** The package manager at the pinned version: the one that runs us, or the registry's through npx. */
export function pnpm() {
  const running = process.env.npm_execpath;
  if (running !== undefined && /pnpm[^/]*$/.test(running) && existsSync(running)) return [process.execPath, running];
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return ['npx', '-y', packageManager];
}

/** A tool of the workspace by its name in node_modules/.bin. */
export function tool(name) {
  return join(ROOT, 'node_modules/.bin', name);
}

/**
 * Runs a command to its end. `echo` shows its output while it runs, `line` is told each line of its standard output; the output is always returned as well.
 * Never rejects: a command that cannot be started has the code 127.
 */
export function run([command, ...args], { cwd = ROOT, env = {}, echo = false, line } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    const take = (stream) => (chunk) => {
      chunks.push(chunk);
      if (echo) stream.write(chunk);
    };
    child.stdout.on('data', take(process.stdout));
    if (line !== undefined) createInterface({ input: child.stdout }).on('line', line);
    child.stderr.on('data', take(process.stderr));
    child.on('error', (error) => done({ code: 127, output: `${command}: ${error.message}` }));
    child.on('close', (code, signal) =>
      done({ code: code ?? 128, output: `${Buffer.concat(chunks).toString('utf8')}${signal === null ? '' : `\nended by ${signal}`}` }),
    );
  });
}
