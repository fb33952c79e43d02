import type { CookieJarMaker } from '../http/cookie-jar.ts';
import { CookieKeeper } from '../http/cookie-keeper.ts';
import { type PageFetch, pageFetch } from '../http/page-fetch.ts';
import type { DynamicsRuntime } from '../runtime/dynamics-runtime.ts';
import type { DynamicsRuntimeOptions } from '../runtime/options.ts';
import { openDynamicsRuntime as openPortable } from '../runtime/runtime.ts';

export interface PageRuntimeOptions extends DynamicsRuntimeOptions {
  /** `CookieJar` of tough-cookie: `fetch` keeps cookies, those with an expiry in the container. Absent: it has none. */
  readonly cookieJar?: CookieJarMaker | undefined;
}

/** A runtime with `fetch` for a page. */
export interface PageDynamicsRuntime extends DynamicsRuntime {
  /**
   * `fetch` for `http:` servers behind a Proxy: end to end encrypted up to the Proxy, in clear from there. Streams both ways, redirects, `AbortSignal`, gzip and deflate. Rejects with
   * a ProtocolError where one is the cause: `ERR_CONNECTION_UNSUPPORTED` for `https:` and for a host that is reached without a Proxy, `ERR_WIRE_*` for an answer that is none,
   * and all of `connect`. A body that breaks off fails with a `TypeError` that has it as `cause`.
   */
  readonly fetch: PageFetch;
}

/**
 * `openDynamicsRuntime` of the portable entry, with `fetch` on it.
 *
 * @example
 * const runtime = await openDynamicsRuntime({ ...options, allowUnboundLink: true })
 * const page = await runtime.fetch('http://wiki.example.com/')
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_STORE_*`
 */
export async function openDynamicsRuntime({ cookieJar, ...options }: PageRuntimeOptions): Promise<PageDynamicsRuntime> {
  const runtime = await openPortable(options);
  const close = runtime.close.bind(runtime);
  const cookies = cookieJar && new CookieKeeper(() => runtime.container, cookieJar);
  return Object.assign(runtime, {
    fetch: pageFetch({ open: runtime.connect.bind(runtime), clock: options.clock, cookies }),
    async close(): Promise<void> {
      await cookies?.settled();
      await close();
    },
  });
}
