export const APP_ID = 'com.example.reader';
export const USER_ID = 'reader@example.com';

/** What the app's process is told, as one JSON object in its first argument. */
export interface AppConfig {
  readonly folder: string;
  /** `host:port` */
  readonly noc: string;
  /** PEM. */
  readonly ca: string;
  /** Absent: the app is activated already. */
  readonly accessKey?: string;
  /** What it does, in turn. */
  readonly tasks: readonly AppTask[];
}

/** `read`: GET, the hash of the body. `pause`: the same, but the body is read on only after a line on standard input. `write`: PUT of `lengthBytes` bytes of `seed`. */
export type AppTask =
  | { readonly kind: 'read' | 'pause'; readonly url: string }
  | { readonly kind: 'write'; readonly url: string; readonly seed: number; readonly lengthBytes: number };

/** A line that the app's process prints. `keys`: those of each record cipher that it made, hexadecimal. */
export type AppLine =
  | { readonly event: 'paused' }
  | { readonly event: 'done'; readonly status: number; readonly sha256: string; readonly lengthBytes: number }
  | { readonly event: 'idle'; readonly keys: readonly string[] };
