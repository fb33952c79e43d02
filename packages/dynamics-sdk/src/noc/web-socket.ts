/** What is used of the platform's `WebSocket`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  /** Bytes that were given to `send` and have not left. */
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
  addEventListener(name: 'open', listener: () => void): void;
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'close', listener: (event: { readonly code: number; readonly wasClean: boolean }) => void): void;
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

export const OPEN = 1;
/** Text, or a message over the limit: 1003 and 1009 are not for pages to send. */
export const UNSUITABLE = 4003;
