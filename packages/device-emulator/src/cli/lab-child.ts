import type { Connection } from '../admin/connection-file.ts';
import { released } from './own-process.ts';

/** Hidden first argument under which the program is a lab server. */
export const LAB_COMMAND = 'lab-process';

/** What the process of a lab server tells the one that started it. */
export type LabMessage = { readonly type: 'ready'; readonly connection: Connection } | { readonly type: 'failed'; readonly message: string };

/** Serves a lab from `folder` until the process that started this one lets go of it, be it on purpose or because it was killed. */
export async function serveLab([folder]: readonly string[]): Promise<void> {
  // Ctrl-C is for the process that started this one.
  process.on('SIGINT', () => undefined);
  const gone = released();
  const tell = (message: LabMessage): void => {
    if (process.connected) process.send?.(message);
  };
  try {
    if (folder === undefined || process.send === undefined) throw new Error('this command is for the emulator itself');
    const { startLabServer } = await import('@uemkit/lab-server');
    const server = await startLabServer({ folder, connectivityNode: true });
    tell({ type: 'ready', connection: server.connection });
    await gone;
    await server.close();
  } catch (error) {
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 2;
    if (process.connected) process.disconnect();
  }
}
