/**
 * The process that is killed: writes without end and says on its standard output what is committed.
 * Arguments: folder, number of the first step, number of the present password. Lines: `try n` before a new password, `done n` after a step, `wiping`.
 */
import { writeSync } from 'node:fs';
import { utf8 } from '@uemkit/protocol';
import { fileOfStep, folderVault, KILL_POLICY } from './folder-vault.ts';

const [folder = '', first = '0', passwords = '', wipeAt = '-1'] = process.argv.slice(2);
const candidates = passwords.split(',');
const say = (line: string): number => writeSync(1, `${line}\n`);

const vault = folderVault(folder);
if ((await vault.state()) === 'absent') {
  const made = await vault.create({ password: candidates[0] as string, policy: KILL_POLICY });
  if (made.kind === 'open') await made.container.close();
}
say('ready');
let password = candidates[0] as string;
let opened = await vault.open(password);
if (opened.kind !== 'open') {
  password = candidates[1] as string;
  opened = await vault.open(password);
}
if (opened.kind !== 'open') throw new Error(`no password opens: ${opened.kind}`);
const { container } = opened;
const { values, files } = container;

for (let n = Number(first); ; n++) {
  if (n === Number(wipeAt)) {
    say('wiping');
    await vault.wipe();
    break;
  }
  const value = utf8(String(n));
  await values.commit([
    { key: 'left', value },
    { key: 'right', value },
    { key: `only ${n % 50}`, value: n % 3 === 0 ? null : value },
  ]);
  if (n % 3 === 1) await files.write('file', fileOfStep(n));
  if (n % 7 === 2) {
    await files.write('moving', fileOfStep(n));
    await files.rename('moving', 'moved');
  }
  if (n % 11 === 3) {
    const next = `password ${n}`;
    say(`try ${next}`);
    const change = await container.changePassword({ current: password, next, policy: KILL_POLICY });
    if (change.kind !== 'changed') throw new Error(change.kind);
    password = next;
  }
  say(`done ${n}`);
}
