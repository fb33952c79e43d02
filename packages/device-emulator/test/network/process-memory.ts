import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PIECE_BYTES = 4 * 1_048_576;

/** Which of these byte strings are anywhere in the memory of a process now (`/proc/PID/mem`; needs root). None may be longer than 64 KiB. */
export function foundInMemory(processId: number, wanted: Readonly<Record<string, Buffer>>): readonly string[] {
  const found = new Set<string>();
  const overlap = Math.max(...Object.values(wanted).map(({ length }) => length));
  const piece = Buffer.alloc(PIECE_BYTES + overlap);
  const memory = openSync(`/proc/${processId}/mem`, 'r');
  try {
    for (const [from, to] of mappings(processId))
      for (let at = from; at < to; at += PIECE_BYTES) {
        const length = read(memory, piece, at, Math.min(to - at, piece.length));
        const bytes = piece.subarray(0, length);
        for (const [name, needle] of Object.entries(wanted)) if (bytes.includes(needle)) found.add(name);
      }
  } finally {
    closeSync(memory);
  }
  return [...found];
}

/** Readable ranges. */
function mappings(processId: number): readonly (readonly [number, number])[] {
  return readFileSync(`/proc/${processId}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
      // What the kernel maps at the end of the address space is no memory of the program, and its addresses are no safe integers.
      if (match === null || /\[(vvar|vsyscall|vdso)/.test(line)) return [];
      return [[Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)] as const];
    });
}

/** Bytes read; 0 for a range that is only reserved. */
function read(file: number, into: Buffer, at: number, length: number): number {
  try {
    return readSync(file, into, 0, length, at);
  } catch {
    return 0;
  }
}
