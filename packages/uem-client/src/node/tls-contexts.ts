import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { pem } from '../key-store/private-key-pem.ts';
import type { Trust } from '../transport.ts';

/** Bounded: sets of roots that one process meets; the oldest goes first. */
const MAX_SHARED_CONTEXTS = 64;

/**
 * TLS contexts of the devices of one process. A context is expensive (about 0.7 ms and 30 KiB), so devices with the same roots share one for
 * connections without a client certificate. A context with a device key belongs to that device alone.
 */
export class TlsContexts {
  readonly #shared: Map<string, SecureContext> = new Map();
  readonly #names: WeakMap<readonly Uint8Array[], string> = new WeakMap();
  #made = 0;

  /** How many contexts were made so far, for measurements. */
  get made(): number {
    return this.#made;
  }

  /** Context without a client certificate. */
  forRoots(roots: Trust['roots']): SecureContext {
    const name = this.#nameOf(roots);
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const context = this.#make(roots);
    if (this.#shared.size >= MAX_SHARED_CONTEXTS) for (const oldest of this.#shared.keys()) if (this.#shared.delete(oldest)) break;
    this.#shared.set(name, context);
    return context;
  }

  /** Context of one device for one connection. `key` is PKCS#8 in PEM. */
  forDevice(roots: Trust['roots'], certificates: readonly Uint8Array[], key: string): SecureContext {
    const context = this.#make(roots, { cert: certificates.map((der) => pem('CERTIFICATE', der)).join(''), key });
    // Node's own mark: the native half (30 KiB, key included) goes with the socket, and not with some later garbage collection. A Node without it loses nothing else.
    return Object.assign(context, { singleUse: true });
  }

  #make(roots: Trust['roots'], identity: { cert?: string; key?: string } = {}): SecureContext {
    this.#made++;
    const ca = roots === 'platform' ? {} : { ca: roots.map((der) => pem('CERTIFICATE', der)) };
    return createSecureContext({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ...ca, ...identity });
  }

  #nameOf(roots: Trust['roots']): string {
    if (roots === 'platform') return 'platform';
    let name = this.#names.get(roots);
    if (name === undefined) {
      const hash = createHash('sha256');
      for (const root of roots) hash.update(createHash('sha256').update(root).digest());
      name = hash.digest('base64');
      this.#names.set(roots, name);
    }
    return name;
  }
}
