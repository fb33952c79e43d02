import { tmpdir } from 'node:os';
import type { CliIo } from './cli-io.ts';
import { startLabProcess, startSiteProcess } from './lab-process.ts';

/** The outside as Node has it. `binFile` is the program itself, which also serves as the process of a lab server. */
export function nodeIo(binFile: string): CliIo {
  return {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
    env: process.env,
    cwd: process.cwd(),
    processId: process.pid,
    temporaryFolder: tmpdir(),
    onInterrupt(callback) {
      process.on('SIGINT', callback);
      process.on('SIGTERM', callback);
      return () => {
        process.off('SIGINT', callback);
        process.off('SIGTERM', callback);
      };
    },
    exitNow: (code) => process.exit(code),
    startLab: (folder) => startLabProcess(binFile, folder),
    startSite: (url) => startSiteProcess(binFile, url),
  };
}
