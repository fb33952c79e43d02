import type { ContainerStorage } from '@uemkit/dynamics-sdk';
import { ProtocolError, type StoreWrite } from '@uemkit/protocol';
import type { FleetStore } from '../fleet/fleet-store.ts';

/** A container of an app among the rows of its fleet: thousands of apps share one database. */
export class AppStorage implements ContainerStorage {
  readonly #fleet: FleetStore;
  readonly #prefix: string;
  #isClosed = false;

  /** All keys begin with `prefix`. */
  constructor(fleet: FleetStore, prefix: string) {
    this.#fleet = fleet;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#requireOpen('ERR_STORE_READ');
    return this.#fleet.get(this.#prefix + key);
  }

  async keys({ prefix, after, limit }: Parameters<ContainerStorage['keys']>[0]): Promise<readonly string[]> {
    this.#requireOpen('ERR_STORE_READ');
    return this.#fleet.keys(this.#prefix, { prefix, after, limit });
  }

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    this.#requireOpen('ERR_STORE_WRITE');
    await this.#fleet.commit(this.#prefix, writes);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    const keys = this.#fleet.keys(this.#prefix, { prefix: '', limit: Number.MAX_SAFE_INTEGER });
    if (keys.length > 0)
      await this.#fleet.commit(
        this.#prefix,
        keys.map((key) => ({ key, value: null })),
      );
  }

  #requireOpen(code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE'): void {
    if (this.#isClosed) throw new ProtocolError(code, 'the storage of the app is closed');
  }
}
