import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { pem } from '../key-store/private-key-pem.ts';
import type { Trust } from '../transport.ts';
import { KeyPins } from './key-pins.ts';

/** Bounded: contexts, and trusts, that one process meets; the oldest goes first. */
const MAX_SHARED = 64;

/**
 * TLS contexts of the devices of one process. A context is expensive (about 0.7 ms and 30 KiB), so devices with the same roots share one for
 * connections without a client certificate. A context with a device key belongs to that device alone.
 */
export class TlsContexts {
  /** @internal */
  readonly pins: KeyPins = new KeyPins();
  readonly #shared: Map<string, SecureContext> = new Map();
  readonly #names: WeakMap<readonly Uint8Array[], string> = new WeakMap();
  readonly #trusts: Map<string, Trust> = new Map();
  #made = 0;

  /** How many contexts were made so far, for measurements. */
  get made(): number {
    return this.#made;
  }

  /** The first trust of the same content: a device at rest keeps its trust, and those of one tenant have the same. */
  sharedTrust(trust: Trust): Trust {
    const name = nameOfTrust(trust);
    const known = this.#trusts.get(name);
    if (known !== undefined) return known;
    forgetOldest(this.#trusts);
    this.#trusts.set(name, trust);
    return trust;
  }

  /** Context without a client certificate. */
  forRoots(roots: Trust['roots']): SecureContext {
    const name = this.#nameOf(roots);
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const context = this.#make(roots);
    forgetOldest(this.#shared);
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
      name = digestOf(roots);
      this.#names.set(roots, name);
    }
    return name;
  }
}

function nameOfTrust({ roots, spkiPins }: Trust): string {
  return `${roots === 'platform' ? roots : digestOf(roots)} ${digestOf(spkiPins)}`;
}

/** One name for a list of byte strings, whatever their lengths are. */
function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(createHash('sha256').update(part).digest());
  return hash.digest('base64');
}

function forgetOldest(known: Map<string, unknown>): void {
  if (known.size < MAX_SHARED) return;
  for (const oldest of known.keys()) if (known.delete(oldest)) return;
}
