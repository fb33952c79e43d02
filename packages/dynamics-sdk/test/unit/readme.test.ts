import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

// `pnpm packaging` runs that file where the packages are installed from tarballs.
it('has the test of a project of its own in its README', async () => {
  expect(await read('README.md')).toContain(await read('../../examples/own-project/container.test.mjs'));
});
