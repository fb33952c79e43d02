import type { Connection } from '../admin/connection-file.ts';

/** A lab server that the emulator has started for itself. */
export interface OwnLab {
  readonly connection: Connection;
  readonly processId: number;
  stop(): Promise<void>;
}

/** An HTTP server that the emulator has started for its apps. */
export interface OwnSite {
  /** Base URL. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Everything that the command line takes from the outside; a test gives its own. */
export interface CliIo {
  /** Writes to standard output: the report. */
  out(text: string): void;
  /** Writes to standard error: progress and complaints. */
  err(text: string): void;
  /** Standard error is a terminal on which lines may be rewritten. */
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly processId: number;
  readonly temporaryFolder: string;
  /** Calls `callback` at each Ctrl-C or SIGTERM. */
  onInterrupt(callback: () => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): never;
  /** Starts a lab server in a process of its own, so that both cores are used. */
  startLab(folder: string): Promise<OwnLab>;
  /** Starts an HTTP server for apps in a process of its own; at `url` when it was there before. */
  startSite(url: string | undefined): Promise<OwnSite>;
}
