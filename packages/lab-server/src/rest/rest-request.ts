/** One administrative request as the adapter hands it over. */
export interface RestRequest {
  readonly method: string;
  /** Without the query; still percent-encoded. */
  readonly path: string;
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** Address of the peer. */
  readonly source: string;
}

/** Lines of an answer that goes on. */
export interface RestStream {
  /** The next lines; undefined after the last ones. One call at a time: what is not asked for is not made. */
  next(): Promise<string | undefined>;
  /** The server stops: the lines that come next are the last ones. */
  end(): void;
  /** The reader is gone. */
  close(): void;
}

/** What comes back. */
export interface RestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** In place of the body. Whoever gets it closes it. */
  readonly stream?: RestStream | undefined;
}

/** What a route answers; the declaration of the status says what the body is. */
export interface RouteResult {
  readonly status: number;
  /** Absent: no body. Text goes out as it is. */
  readonly body?: object | string | undefined;
  /** In place of the body: an answer that goes on. */
  readonly stream?: RestStream | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the journal. */
  readonly deviceId?: string | undefined;
  readonly userId?: string | undefined;
}
