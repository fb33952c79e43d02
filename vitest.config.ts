import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongFirstSequencer from './scripts/lib/long-first-sequencer.ts';

/** The private condition makes tests and examples run on the sources: no build comes first. */
const conditions = ['@uemkit/source', 'node', 'import', 'module', 'default'];

/** All-or-nothing folders: a branch that no test takes there is a check that nobody has seen fail. */
const EVERY_BRANCH = ['wire', 'record', 'key-schedule', 'machine', 'http-signature'];
const PACKAGES = ['protocol', 'uem-client', 'dynamics-sdk', 'lab-server', 'device-emulator'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'bench/test/**/*.test.ts'],
    provide: { isWhole: false },
    globalSetup: ['scripts/lib/programs-folder.ts'],
    setupFiles: ['scripts/lib/cheap-errors.ts', 'scripts/lib/property-sizes.ts', 'scripts/lib/byte-equality.ts'],
    // A test takes 30 s on a busy machine that takes 2 s otherwise: the limit is for what hangs, and says nothing about speed.
    testTimeout: 120_000,
    // The same of what a test needs first: a bundle, a browser, a server.
    hookTimeout: 120_000,
    // And of what is waited for: the default, a second, is less than a busy machine takes now and then.
    expect: { poll: { timeout: 30_000 } },
    // One more than there are cores: while a file waits, for a clock, a process or scrypt on a thread, another one works.
    maxWorkers: availableParallelism() + 1,
    // Nothing here has state of its own outside of objects, so that files of one worker can share what they import: it saves a third of the time.
    isolate: false,
    sequence: { sequencer: LongFirstSequencer },
    reporters: ['default', './scripts/lib/count-reporter.mjs'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      // Commands run as processes of their own in tests, where coverage does not reach.
      exclude: ['packages/*/src/bin.ts'],
      reporter: ['text-summary', 'json', 'html'],
      reportsDirectory: 'coverage',
      thresholds: {
        ...Object.fromEntries(EVERY_BRANCH.map((folder) => [`packages/protocol/src/${folder}/**/*.ts`, { branches: 100 }])),
        ...Object.fromEntries(PACKAGES.map((name) => [`packages/${name}/src/**/*.ts`, { lines: 90 }])),
      },
    },
  },
});
