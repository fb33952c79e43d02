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

/** What comes back. */
export interface RestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a route answers; the declaration of the status says what the body is. */
export interface RouteResult {
  readonly status: number;
  /** Absent: no body. Text goes out as it is. */
  readonly body?: object | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the journal. */
  readonly deviceId?: string | undefined;
  readonly userId?: string | undefined;
}
