import type { MediaNoun } from './media-type.ts';

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

/** What a route is given. */
export interface RouteCall {
  /** Decoded parts of the path, by the names of the route. */
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, not checked yet; undefined without a body. */
  readonly json: unknown;
  /** Path of the tenant, for links: `/<tenant>/api/v1`. */
  readonly base: string;
}

/** What a route answers. */
export interface RouteResult {
  readonly status: number;
  /** Noun of the answer's media type; absent: plain JSON. */
  readonly noun?: MediaNoun | undefined;
  /** Absent: no body. Text goes out as text/plain. */
  readonly body?: object | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the journal. */
  readonly deviceId?: string | undefined;
  readonly userId?: string | undefined;
}

/** One method of one path. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parts in braces are names: `/users/{guid}`. */
  readonly path: string;
  /** Open to callers without credentials. */
  readonly open?: true;
  /** Noun of the request body; with it, or with `json`, a body is expected. */
  readonly takes?: MediaNoun | undefined;
  /** Takes a plain JSON body. */
  readonly json?: true;
  run(call: RouteCall): RouteResult | Promise<RouteResult>;
}
