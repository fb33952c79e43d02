import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const here = (path: string): URL => new URL(`../../${path}`, import.meta.url);

it('shows in its README what the example runs', async () => {
  const readme = await readFile(here('README.md'), 'utf8');
  // The page is run by Chromium, the client for apps by `app-listener.test.ts`.
  const run = [
    '../../examples/one-device/src/main.ts',
    '../../examples/one-device/src/story.ts',
    'test/browser/quickstart.ts',
    'test/support/app-quickstart.ts',
  ];
  const example = (await Promise.all(run.map((path) => readFile(here(path), 'utf8')))).join('\n');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) expect(example).toContain(block);
});

// `pnpm packaging` runs that file where the packages are installed from tarballs.
it.each(['README.md', '../lab-server/README.md'])('has the test of a project of its own in %s', async (path) => {
  expect(await readFile(here(path), 'utf8')).toContain(await readFile(here('../../examples/own-project/lock.test.mjs'), 'utf8'));
});

it('names every event', async () => {
  const readme = await readFile(here('README.md'), 'utf8');
  const events = await readFile(here('src/events.ts'), 'utf8');
  const names = [...(events.split('interface UemClientEvents')[1] ?? '').matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(readme).toContain(`\`${name}\``);
});
