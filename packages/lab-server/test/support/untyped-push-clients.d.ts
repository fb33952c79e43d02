/** The WNS client ships no types. */
declare module 'wns' {
  interface WnsResult {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly newAccessToken?: string;
  }
  interface WnsOptions {
    readonly client_id: string;
    readonly client_secret: string;
    readonly headers?: Readonly<Record<string, string>>;
  }
  export function sendRaw(
    channel: string,
    payload: string,
    options: WnsOptions,
    callback: (error: (Error & WnsResult) | null, result?: WnsResult) => void,
  ): void;
}
