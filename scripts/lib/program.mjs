import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './generated.mjs';

/** A TypeScript program over `files` with the options of the workspace, so that package names lead to sources. */
export function programOf(files) {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  return ts.createProgram(files, { ...options, noEmit: true });
}
