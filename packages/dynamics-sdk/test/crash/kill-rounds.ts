import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededEntropy } from '@uemkit/protocol/testing';
import { bundledProgram } from '../../../../scripts/lib/bundled-program.mjs';
import type { SecureContainer } from '../../src/index.ts';
import { fileOfStep, folderVault } from './folder-vault.ts';

const VICTIM = await bundledProgram(new URL('victim.ts', import.meta.url));
/** A container lives that many rounds; then one is wiped, and killed while it is. */
const ROUNDS_OF_A_CONTAINER = 8;

interface Life {
  /** Last step that the victim said to be committed. */
  done: number;
  /** The password that is set, and the one that may be. */
  passwords: readonly string[];
  wiping: boolean;
}

/** Kills a process that writes, `rounds` times at moments that the seed tells, and looks each time. @returns what was not as it has to be */
export async function killRounds(rounds: number, seed: string): Promise<readonly string[]> {
  const random = seededEntropy(`kill/${seed}`);
  const faults: string[] = [];
  let folder = '';
  let life: Life = { done: -1, passwords: [], wiping: false };
  for (let round = 0; round < rounds; round++) {
    const age = round % ROUNDS_OF_A_CONTAINER;
    if (age === 0) {
      if (folder !== '') rmSync(folder, { recursive: true, force: true });
      folder = mkdtempSync(join(tmpdir(), 'uemkit-kill-'));
      life = { done: -1, passwords: ['password first'], wiping: false };
    }
    const steps = random.below(12);
    const wipeAt = age === ROUNDS_OF_A_CONTAINER - 1 ? life.done + 1 + steps : -1;
    await killedAfter(folder, life, { lines: wipeAt >= 0 ? steps + 2 : steps, delayMs: random.below(12), wipeAt });
    const found = await (wipeAt >= 0 && life.wiping ? lookAfterWipe(folder, life) : look(folder, life)).catch((error: unknown) => [String(error)]);
    faults.push(...found.map((fault) => `round ${round} of seed ${seed}: ${fault}`));
  }
  rmSync(folder, { recursive: true, force: true });
  return faults;
}

/** Lets a victim go on and kills it `delayMs` after its line of number `lines`. Fills in what it said. */
async function killedAfter(
  folder: string,
  life: Life,
  { lines, delayMs, wipeAt }: { readonly lines: number; readonly delayMs: number; readonly wipeAt: number },
): Promise<void> {
  const arguments_ = [folder, String(life.done + 1), life.passwords.join(','), String(wipeAt)];
  const victim = spawn(process.execPath, [VICTIM, ...arguments_], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  victim.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  let seen = 0;
  let rest = '';
  victim.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const complete = (rest + chunk).split('\n');
    rest = complete.pop() as string;
    for (const line of complete) {
      const [what = '', ...text] = line.split(' ');
      if (what === 'done') {
        life.done = Number(text[0]);
        life.passwords = life.passwords.slice(-1);
      }
      if (what === 'try') life.passwords = [...life.passwords.slice(-1), text.join(' ')];
      if (what === 'wiping') life.wiping = true;
      if (seen++ === lines) setTimeout(() => victim.kill('SIGKILL'), delayMs);
    }
  });
  await new Promise((resolve) => victim.once('close', resolve));
  if (victim.signalCode !== 'SIGKILL' && !life.wiping) throw new Error(`the victim ended by itself: ${errors}`);
}

async function look(folder: string, life: Life): Promise<readonly string[]> {
  const vault = folderVault(folder);
  try {
    if (life.done === -1 && (await vault.state()) === 'absent') return [];
    for (const password of [...life.passwords].reverse()) {
      const opened = await vault.open(password);
      if (opened.kind !== 'open') continue;
      life.passwords = [password];
      return await contents(opened.container, life);
    }
    return ['no password opens it'];
  } finally {
    await vault.close();
  }
}

async function contents({ values, files }: SecureContainer, life: Life): Promise<readonly string[]> {
  const faults: string[] = [];
  const read = async (name: string): Promise<string | undefined> => {
    const value = await values.get(name);
    return value && new TextDecoder().decode(value);
  };
  const [left, right] = [await read('left'), await read('right')];
  if (left !== right) faults.push(`half of a commit: ${left} and ${right}`);
  const last = Number(left ?? '-1');
  if (last < life.done || last > life.done + 1) faults.push(`step ${life.done} was committed, the container has ${last}`);
  for (let n = Math.max(0, life.done - 49); n <= life.done; n++) {
    const value = await read(`only ${n % 50}`);
    // The step after the last one that was said may be there already.
    const expected = n % 3 === 0 ? undefined : String(n);
    if (value !== expected && (last === life.done || last % 50 !== n % 50)) faults.push(`step ${n} is lost: ${value}`);
  }
  for await (const name of values.names()) await values.get(name);
  for await (const { name, sizeBytes } of files.list()) {
    const parts: Uint8Array[] = [];
    for await (const part of files.read(name)) parts.push(part);
    const bytes = Buffer.concat(parts);
    const step = bytes.readUInt32BE(0);
    if (bytes.length !== sizeBytes || !bytes.equals(fileOfStep(step))) faults.push(`file ${name} of step ${step} is not whole`);
    const cycle = name === 'file' ? [3, 1] : [7, 2];
    const newest = life.done - ((life.done - (cycle[1] as number)) % (cycle[0] as number));
    if (name !== 'moving' && life.done >= 7 && step < newest) faults.push(`file ${name} is of step ${step}, not ${newest}`);
  }
  return faults;
}

async function lookAfterWipe(folder: string, life: Life): Promise<readonly string[]> {
  const vault = folderVault(folder);
  const state = await vault.state();
  const faults: string[] = [];
  if (state === 'lost') {
    const opened = await vault.open(life.passwords[0] as string).then(
      ({ kind }) => kind,
      () => 'refused',
    );
    if (opened === 'open') faults.push('a container that was lost has opened');
  }
  await vault.wipe();
  const again = folderVault(folder);
  if ((await again.state()) !== 'absent') faults.push(`after ${state} and a second wipe there is something left`);
  await again.close();
  return faults;
}
