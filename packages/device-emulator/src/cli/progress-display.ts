import type { Progress } from '../run/progress.ts';

/** Plain lines tell about this share of a phase each. */
const PLAIN_SHARE = 0.25;
const BAR_CHARACTERS = 24;
const CLEAR_LINE = '\r\u001b[2K';

export interface DisplayOptions {
  write(text: string): void;
  /** Lines may be rewritten. */
  readonly interactive: boolean;
  /** Colours and bold are wanted. */
  readonly colour: boolean;
}

/** Shows progress: one line that is rewritten on a terminal, plain lines (and no escape sequences) anywhere else. */
export function progressDisplay({ write, interactive, colour }: DisplayOptions): Progress & { end(): void } {
  let open = false;
  let told = 0;
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text);
  const line = (text: string): void => {
    if (open) write(CLEAR_LINE);
    open = false;
    write(`${text}\n`);
  };
  return {
    phase(title) {
      told = 0;
      line(`${bold('==')} ${bold(title)}`);
    },
    step(done, total, what) {
      const share = total === 0 ? 1 : done / total;
      if (interactive) {
        const filled = Math.round(share * BAR_CHARACTERS);
        write(`${CLEAR_LINE}   [${'#'.repeat(filled)}${'.'.repeat(BAR_CHARACTERS - filled)}] ${done} of ${total} ${what}`);
        open = true;
        if (done === total) line(`   ${done} of ${total} ${what}`.padEnd(0));
        return;
      }
      if (done !== total && share < told + PLAIN_SHARE) return;
      told = share;
      line(`   ${done} of ${total} ${what}`);
    },
    note: (text) => line(`   ${text}`),
    warn: (text) => line(`   warning: ${text}`),
    end() {
      if (open) write('\n');
      open = false;
    },
  };
}
