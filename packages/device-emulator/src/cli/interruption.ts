import { setMaxListeners } from 'node:events';
import type { CliIo } from './cli-io.ts';
import { EXIT } from './exit-codes.ts';

/** Ctrl-C: the first one ends the run in good order, the second one at once. All state is saved as it arises, so even that loses nothing. */
export function interruption(io: CliIo, first: () => void): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  // One signal for the whole fleet: every device and every wait listens to it.
  setMaxListeners(0, controller.signal);
  const end = io.onInterrupt(() => {
    if (controller.signal.aborted) io.exitNow(EXIT.interrupted);
    first();
    controller.abort(new Error('interrupted'));
  });
  return { signal: controller.signal, end };
}
