import type { Committer } from './committer.ts';
import { LIST_PAGE_KEYS } from './limits.ts';
import type { ContainerStorage } from './ports.ts';
import { chunksOf, PENDING_PREFIX } from './rows.ts';

/** Deletes the chunks of a file that is no part of the container, in parts, and then the mark that says so: a crash in between only leaves the rest for later. */
export async function sweepFile(storage: ContainerStorage, committer: Committer, fileId: string): Promise<void> {
  for (;;) {
    const page = await storage.keys({ prefix: chunksOf(fileId), limit: LIST_PAGE_KEYS });
    const writes = page.map((key) => ({ key, value: null }));
    if (page.length < LIST_PAGE_KEYS) {
      await committer.commit({ writes: [...writes, { key: PENDING_PREFIX + fileId, value: null }] });
      return;
    }
    await committer.commit({ writes });
  }
}

/** Finishes what a crash left: files that were not written to their end, and files that were replaced or deleted. */
export async function sweepPending(storage: ContainerStorage, committer: Committer): Promise<void> {
  for (;;) {
    const page = await storage.keys({ prefix: PENDING_PREFIX, limit: LIST_PAGE_KEYS });
    for (const key of page) await sweepFile(storage, committer, key.slice(PENDING_PREFIX.length));
    if (page.length < LIST_PAGE_KEYS) return;
  }
}
