/** Variable of the environment: the folder of a run of vitest. */
export const PROGRAMS_FOLDER: string;
/** A program from its sources, as a file that `node` runs as it is. */
export function bundledProgram(source: URL): Promise<string>;
