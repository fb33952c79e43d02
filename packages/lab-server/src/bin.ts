#!/usr/bin/env node
import { main } from './cli/main.ts';
import { terminal } from './cli/output.ts';

/** The first SIGINT or SIGTERM ends the lab in order; the second one at once. */
function stopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(130));
      });
    }
  });
}

process.exitCode = await main(process.argv.slice(2), terminal, stopped, process.env);
