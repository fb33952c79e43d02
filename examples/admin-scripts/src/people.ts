import { readFile, writeFile } from 'node:fs/promises';
import { csvRow, readRecords } from './csv.ts';

/** One row of the list of people. */
export interface Person {
  readonly username: string;
  readonly displayName: string;
  readonly emailAddress: string;
}

const COLUMNS = ['username', 'displayName', 'emailAddress'] as const;
const FIRST = ['Ada', 'Ben', 'Carla', 'David', 'Elif', 'Frank', 'Grace', 'Hamid', 'Ida', 'Jonas'];
const LAST = ['Abel', 'Berg', 'Costa', 'Dorn', 'Eder', 'Fuchs', 'Gross', 'Haas', 'Imhof', 'Jung'];

/** Writes a list of people who do not exist; the same ones each time. */
export async function makePeople(file: string, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => {
    const name = `${FIRST[index % 10]} ${LAST[Math.floor(index / 10) % 10]}`;
    const username = `${name.toLowerCase().replace(' ', '.')}.${index + 1}@example.com`;
    return csvRow([username, name, username]);
  });
  await writeFile(file, csvRow(COLUMNS) + rows.join(''));
}

/** Reads a list of people. @throws Error with the row that is wrong */
export async function readPeople(file: string): Promise<readonly Person[]> {
  const records = readRecords(await readFile(file, 'utf8'), COLUMNS);
  const names = new Set(records.map(({ username }) => username?.toLowerCase()));
  if (names.size !== records.length) throw new Error(`${file} has somebody twice`);
  return records as unknown as readonly Person[];
}
