import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** Files that `pnpm test` runs a share of: they say so by what they import. */
const include = readdirSync(`${import.meta.dirname}/packages`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
  .map((file) => join('packages', file))
  .filter((file) => readFileSync(join(import.meta.dirname, file), 'utf8').includes('/test-sizes.ts'));

/** The same tests with nothing left out: every random string, every cell, every wrong server. */
export default defineConfig({ ...config, test: { ...config.test, include, provide: { isWhole: true } } });
