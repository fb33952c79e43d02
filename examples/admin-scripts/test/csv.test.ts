import { describe, expect, it } from 'vitest';
import { csvRow, readCsv, readRecords } from '../src/csv.ts';

describe('CSV', () => {
  it.each<[string, string, string[][]]>([
    [
      'plain cells',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'no line end at the end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['quotes with commas, quotes and line ends in them', '"a,""b""\nc",d\n', [['a,"b"\nc', 'd']]],
    ['empty cells', ',x,\n', [['', 'x', '']]],
    ['an empty cell at the very end', 'a,', [['a', '']]],
  ])('with %s is read', (_what, text, rows) => {
    expect(readCsv(text)).toEqual(rows);
  });

  it('comes back as it was written', () => {
    const cells = ['a', 'b,c', 'd"e', 'f\ng', '', 'ü'];
    expect(readCsv(csvRow(cells))).toEqual([cells]);
  });

  it('is no formula in a spreadsheet', () => {
    expect(readCsv(csvRow(['=1+1', '@x', '-1', '+1']))).toEqual([["'=1+1", "'@x", "'-1", "'+1"]]);
  });

  it('gives records back as they were, formulas too', () => {
    const cells = ['=1+1', "'-x", '-4Tk', "''@", "o'neill", "'quoted'"];
    const head = cells.map((_, index) => `column ${index}`);
    expect(readRecords(csvRow(head) + csvRow(cells), head).map((record) => Object.values(record))).toEqual([cells]);
  });

  it('that is broken says where', () => {
    expect(() => readCsv('a\nb"c\n')).toThrow('row 2');
    expect(() => readRecords('a,b\n1\n', ['a'])).toThrow('row 2 has 1 cells, the first one has 2');
    expect(() => readRecords('a,b\n', ['c'])).toThrow('there is no column c');
  });
});
