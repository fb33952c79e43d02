import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

// `pnpm packaging` runs the files where the packages are installed from tarballs.
it.each(['authorize', 'connections', 'container', 'siblings', 'updates', 'services', 'phone'])(
  'has the test of a project of its own in its README: %s',
  async (name) => {
    expect(await read('README.md')).toContain(await read(`../../examples/own-project/${name}.test.mjs`));
  },
);

it('shows in its README what Chromium runs in a page', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(await read('README.md')) ?? [];
  expect(code).toContain('webSocketNocTransport');
  expect(await read('test/browser/quickstart.ts')).toContain(code);
});
