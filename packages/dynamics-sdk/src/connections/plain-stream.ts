/** The app's end without web streams, for platforms that have streams of their own. Only one of the two forms of a stream may be used. */
export interface PlainStream {
  /** The oldest piece that waits, and room for another one; undefined: there is none now. */
  take(): Uint8Array | undefined;
  /** True when everything was taken and no more comes; that half is over then. */
  takenAll(): boolean;
  /** Who is told that one of the two may have something else to say now, or that the stream broke. */
  onReadable(wake: () => void): void;
  /** Nobody reads any more. What still comes cannot be refused apart from what is sent, so both halves end. */
  cancelReading(): void;
  /** One at a time. `done` when all was sent, and the memory is the caller's again. */
  write(chunk: Uint8Array, done: (error?: Error) => void): void;
  /** Everything was written. */
  end(done: (error?: Error) => void): void;
  /** Gives up what is not sent yet. */
  abortWriting(): void;
  /** What the stream broke with. */
  readonly failure: Error | undefined;
}
