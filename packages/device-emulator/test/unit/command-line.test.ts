import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asTyped } from '../../src/cli/as-typed.ts';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { DEMO_SCENARIO } from '../../src/cli/demo-scenario.ts';
import { wordsFor } from '../../src/cli/error-words.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { main } from '../../src/cli/main.ts';
import { progressDisplay } from '../../src/cli/progress-display.ts';
import { FLEET_FILE } from '../../src/fleet/fleet-store.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const SCENARIOS = new URL('../../../../examples/scenarios/', import.meta.url);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-line-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function call(...argv: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: false,
    env: {},
    cwd: folder,
    processId: process.pid,
    temporaryFolder: folder,
    onInterrupt: () => () => undefined,
    exitNow: () => {
      throw new Error('exit');
    },
    startLab: () => Promise.reject(new Error('this test starts no server')),
    startSite: () => Promise.reject(new Error('this test starts no server')),
  };
  const code = await main(argv, io);
  return { code, out, err };
}

describe('device-emulator', () => {
  it('teaches: help of the program and of each command has working examples and no escape sequences', async () => {
    const { code, out } = await call();
    expect(code).toBe(EXIT.ok);
    for (const command of COMMANDS) {
      expect(out).toContain(command.examples[0]?.[0]);
      const help = await call(command.name, '--help');
      expect(help.code).toBe(EXIT.ok);
      for (const [line] of command.examples) expect(help.out).toContain(line);
      for (const flag of Object.keys(command.args)) expect(help.out.toLowerCase()).toContain(flag.toLowerCase());
      expect(help.out).not.toContain('\u001b');
    }
    expect(out).toMatch(/EXIT CODES/);
  });

  it.each([
    [['demmo'], 'there is no command demmo (did you mean demo?)'],
    [['run', '--sede', '3'], 'unknown flag --sede (did you mean --seed?)'],
    [['run'], 'which scenario?'],
    [['run', 'a.yaml', 'b.yaml'], 'one argument too many: b.yaml'],
    [['run', 'missing.yaml'], 'the scenario missing.yaml cannot be read; name its file, for example examples/scenarios/rollout.yaml'],
    [['resume'], 'which run? name the folder with its state, for example .device-emulator/rollout-1'],
    [['resume', 'missing'], 'there is no folder missing'],
    [['demo', '--size', 'many'], '--size takes a whole number'],
    [['demo', '--seed', '-1'], '--seed'],
    [['demo', '--target', 'missing.json'], 'missing.json cannot be read'],
    [['demo', '--seed'], 'argument missing'],
  ])('%j is a mistake in the command line: exit code 2 and a hint', async (argv, hint) => {
    const { code, out, err } = await call(...argv);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toContain(hint);
  });

  it('shows a mistake in a scenario with its place', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'format: 1\nname: bad\npopulatons: []\n');
    const { code, err } = await call('run', 'bad.yaml');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('bad.yaml:3:1: populatons: unknown field (did you mean populations?)');
  });

  it('says that there is nothing to resume in an empty folder', async () => {
    const { code, err } = await call('resume', '.');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('there is no run to resume');
  });

  it('names the runs that there are when none, or one that there is not, is to be resumed', async () => {
    for (const index of [1, 2, 3, 4, 5, 6, 7]) {
      const run = join(folder, `.device-emulator/rollout-${index}`);
      mkdirSync(run, { recursive: true });
      writeFileSync(join(run, FLEET_FILE), '');
      utimesSync(join(run, FLEET_FILE), index, index);
    }
    mkdirSync(join(folder, '.device-emulator/no-run'));
    const named = `newest first: ${[7, 6, 5, 4, 3].map((index) => join('.device-emulator', `rollout-${index}`)).join(', ')} and 2 more`;
    expect((await call('resume')).err).toContain(`which run? name the folder with its state, ${named}`);
    expect((await call('resume', 'missing')).err).toContain(`there is no folder missing; runs are in folders, ${named}`);
  });

  it('leaves no folder behind when the run cannot begin, and keeps one that was there', async () => {
    writeFileSync(join(folder, 'demo.yaml'), DEMO_SCENARIO);
    expect((await call('run', 'demo.yaml', '--target', 'missing.json')).code).toBe(EXIT.usage);
    expect(existsSync(join(folder, '.device-emulator/demo-7'))).toBe(false);
    expect((await call('run', 'demo.yaml', '--target', 'missing.json', '--state', '.')).code).toBe(EXIT.usage);
    expect(existsSync(join(folder, 'demo.yaml'))).toBe(true);
  });

  it('says what to look at when no server answers', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
    expect(wordsFor(refused)).toMatch(/does not answer \(connect ECONNREFUSED 127\.0\.0\.1:9\)\. Is it running, and is the connection file/);
    expect(wordsFor(new Error('a bug'))).toBeUndefined();
  });

  it('refuses a connection file that is none', async () => {
    writeFileSync(join(folder, 'connection.json'), '{"format":1}');
    const { code, err } = await call('demo', '--target', 'connection.json');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('is not a connection file of a lab server');
  });

  it('plans the same twice, and another plan for another seed', async () => {
    writeFileSync(join(folder, 'demo.yaml'), DEMO_SCENARIO);
    const digest = async (...flags: string[]): Promise<unknown> =>
      (JSON.parse((await call('plan', 'demo.yaml', '--json', ...flags)).out) as { plan: string }).plan;
    expect(await digest()).toBe(await digest());
    expect(await digest()).not.toBe(await digest('--seed', '8'));
    expect((await call('plan', 'demo.yaml')).out).toContain('210 devices');
  });
});

describe('example scenarios', () => {
  it.each(['demo', 'rollout', 'mass-lock', 'lost-push', 'refusals', 'configuration', 'apps'])('%s.yaml can be read', (name) => {
    const file = new URL(`${name}.yaml`, SCENARIOS);
    expect(parseScenario(readFileSync(file, 'utf8'), `${name}.yaml`).name).toBe(name);
  });

  it('has the scenario of demo as a file to copy', () => {
    expect(readFileSync(new URL('demo.yaml', SCENARIOS), 'utf8')).toBe(DEMO_SCENARIO);
  });
});

describe('asTyped', () => {
  const text = 'Go on with: device-emulator resume x\n  device-emulator demo\n  lab-server start\nUSAGE device-emulator demo';

  it('shows command lines as they can be typed in a clone', () => {
    const env = { npm_package_name: 'uemkit', npm_config_user_agent: 'pnpm/10.34.9 npm/? node/v20.20.2 linux x64' };
    expect(asTyped(text, env)).toBe(
      'Go on with: npx -y pnpm@10.34.9 device-emulator resume x\n  npx -y pnpm@10.34.9 device-emulator demo\n  npx -y pnpm@10.34.9 lab-server start\nUSAGE device-emulator demo',
    );
  });

  it('leaves them alone anywhere else', () => {
    expect(asTyped(text, {})).toBe(text);
    expect(asTyped(text, { npm_config_user_agent: 'npm/11', npm_package_name: 'uemkit' })).toBe(text);
  });
});

describe('progressDisplay', () => {
  function shown(interactive: boolean): string {
    let text = '';
    const display = progressDisplay({ write: (part) => (text += part), interactive, colour: interactive });
    display.phase('Phase');
    for (let done = 1; done <= 100; done++) display.step(done, 100, 'done');
    display.warn('careful');
    display.end();
    return text;
  }

  it('writes few plain lines where nobody rewrites them', () => {
    const lines = shown(false).trimEnd().split('\n');
    expect(lines).toEqual(['== Phase', '   25 of 100 done', '   50 of 100 done', '   75 of 100 done', '   100 of 100 done', '   warning: careful']);
  });

  it('rewrites one line on a terminal and leaves it behind when the phase is through', () => {
    const text = shown(true);
    expect(text).toContain('\r\u001b[2K');
    expect(text.endsWith('\r\u001b[2K   100 of 100 done\n   warning: careful\n')).toBe(true);
  });
});
