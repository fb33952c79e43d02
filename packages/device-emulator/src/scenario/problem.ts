/** One thing that is wrong with a scenario file, and where. Lines and columns count from 1. */
export interface ScenarioProblem {
  readonly line: number;
  readonly column: number;
  /** Path inside the document, for example `timeline[2].command`. */
  readonly path: string;
  readonly message: string;
  /** What the author may have meant. */
  readonly hint?: string | undefined;
}

/** A scenario that cannot be run; has every problem that was found, in the order of the file. */
export class ScenarioError extends Error {
  readonly file: string;
  readonly problems: readonly ScenarioProblem[];

  constructor(file: string, problems: readonly ScenarioProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.name = 'ScenarioError';
    this.file = file;
    this.problems = problems;
  }
}

function formatProblem(file: string, { line, column, path, message, hint }: ScenarioProblem): string {
  const at = path === '' ? '' : `${path}: `;
  return `${file}:${line}:${column}: ${at}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
