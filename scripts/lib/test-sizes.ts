import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Run by `pnpm test:whole`. */
    readonly isWhole: boolean;
  }
}

const isWhole = inject('isWhole');

/** As many as `pnpm test` takes, or as `pnpm test:whole` does. */
export function sized(share: number, whole: number): number {
  return isWhole ? whole : share;
}

/** Each so-manieth of a list that only `pnpm test:whole` goes through from end to end; a step that does not divide the length of a row takes from every column. */
export function shareOf<T>(all: readonly T[], step: number): readonly T[] {
  return isWhole ? all : all.filter((_, index) => index % step === 0);
}
