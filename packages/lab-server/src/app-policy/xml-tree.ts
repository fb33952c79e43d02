import { SaxesParser, type SaxesTagNS } from 'saxes';
import { DEFINITION_LIMITS, type DefinitionFault, PolicyDefinitionError } from './definition.ts';

/** An element of a definition, and where it began. */
export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Own text, white space at both ends apart; lines are joined as they stand. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** Names from the root on, joined by `/`. */
  readonly path: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

/** Attributes that say how the document is read, and nothing about the app. */
const READER_NAMESPACES: readonly string[] = [
  'http://www.w3.org/2000/xmlns/',
  'http://www.w3.org/2001/XMLSchema-instance',
  'http://www.w3.org/XML/1998/namespace',
];

/**
 * Reads a document within bounds. A document type is refused, and with it every entity that is not predefined: nothing expands, nothing is fetched.
 * @throws PolicyDefinitionError `tooLarge`, `tooDeep`, `documentType`, `notXml`
 */
export function xmlTree(xml: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let attributes = 0;
  let beganAt = { line: 1, column: 1 };

  const fail = (fault: DefinitionFault, what: string): never => {
    throw new PolicyDefinitionError(fault, what, { line: parser.line, column: parser.columnIndex + 1, path: open.at(-1)?.path ?? '/' });
  };

  // check: the bound comes before anything is read
  if (xml.length > DEFINITION_LIMITS.xmlBytes || new TextEncoder().encode(xml).length > DEFINITION_LIMITS.xmlBytes)
    fail('tooLarge', `more than ${DEFINITION_LIMITS.xmlBytes} bytes`);

  parser.on('error', ({ message }) => fail('notXml', `is not well-formed: ${message.replace(/^\d+:\d+: /, '').slice(0, 120)}`));
  parser.on('doctype', () => fail('documentType', 'a document type, and so its entities, are not taken; leave <!DOCTYPE …> out'));
  parser.on('opentagstart', ({ name }) => {
    attributes = 0;
    // The parser stands behind the name and one character more.
    const column = parser.columnIndex - name.length - 1;
    beganAt = column > 0 ? { line: parser.line, column } : { line: parser.line - 1, column: 1 };
    if (open.length >= DEFINITION_LIMITS.depth) fail('tooDeep', `more than ${DEFINITION_LIMITS.depth} elements inside one another`);
    if (++elements > DEFINITION_LIMITS.elements) fail('tooLarge', `more than ${DEFINITION_LIMITS.elements} elements`);
  });
  parser.on('attribute', () => {
    if (++attributes > DEFINITION_LIMITS.attributes) fail('tooLarge', `more than ${DEFINITION_LIMITS.attributes} attributes`);
  });
  parser.on('opentag', (tag) => {
    const path = `${open.at(-1)?.path ?? ''}/${tag.local}`;
    open.push({ name: tag.local, namespace: tag.uri, attributes: attributesOf(tag), children: [], text: '', ...beganAt, path });
  });
  const text = (part: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  };
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('closetag', () => {
    const element = open.pop() as OpenElement;
    element.text = element.text.trim();
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.children.push(element);
  });

  parser.write(xml).close();
  return root ?? fail('notXml', 'is not well-formed: there is no element');
}

function attributesOf({ attributes }: SaxesTagNS): ReadonlyMap<string, string> {
  const own = Object.values(attributes).filter(({ uri }) => !READER_NAMESPACES.includes(uri));
  return new Map(own.map(({ name, value }) => [name, value]));
}
