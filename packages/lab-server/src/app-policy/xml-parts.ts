import { DEFINITION_LIMITS, PolicyDefinitionError } from './definition.ts';
import type { XmlElement } from './xml-tree.ts';

/** Refuses children and attributes that are not known here, and text between children. @throws PolicyDefinitionError `unknownElement`, `unknownAttribute`, `badValue` */
export function allowOnly(element: XmlElement, children: readonly string[], attributes: readonly string[]): void {
  for (const child of element.children)
    if (!children.includes(child.name) || child.namespace !== '')
      throw new PolicyDefinitionError('unknownElement', children.length === 0 ? 'holds no elements' : `is none of ${children.join(', ')}`, child);
  for (const name of element.attributes.keys())
    if (!attributes.includes(name)) throw new PolicyDefinitionError('unknownAttribute', `the attribute ${name.slice(0, 64)} is not known here`, element);
  if (children.length > 0 && element.text !== '') throw new PolicyDefinitionError('badValue', 'holds elements and no text', element);
}

/** The child of this name; there is one at most. @throws PolicyDefinitionError `duplicate` */
export function only(element: XmlElement, name: string): XmlElement | undefined {
  const [child, second] = element.children.filter((one) => one.name === name);
  if (second !== undefined) throw new PolicyDefinitionError('duplicate', `${name} is there twice`, second);
  return child;
}

/** Text of an element that holds nothing else. @throws PolicyDefinitionError `unknownElement`, `badValue` */
export function textOf(element: XmlElement): string {
  allowOnly(
    element,
    [],
    [...element.attributes.keys()].filter((name) => name === 'ref'),
  );
  if (element.text.length > DEFINITION_LIMITS.textCharacters)
    throw new PolicyDefinitionError('badValue', `is longer than ${DEFINITION_LIMITS.textCharacters} characters`, element);
  return element.text;
}

/** Text of the child of this name. @throws PolicyDefinitionError as `only` and `textOf` */
export function childText(element: XmlElement, name: string): string | undefined {
  const child = only(element, name);
  return child === undefined ? undefined : textOf(child);
}

/** An attribute that has to be there and to name something. @throws PolicyDefinitionError `missing`, `badValue` */
export function attribute(element: XmlElement, name: string): string {
  const value = element.attributes.get(name)?.trim();
  if (value === undefined || value === '') throw new PolicyDefinitionError('missing', `the attribute ${name} is missing`, element);
  if (value.length > DEFINITION_LIMITS.nameCharacters)
    throw new PolicyDefinitionError('badValue', `the attribute ${name} is longer than ${DEFINITION_LIMITS.nameCharacters} characters`, element);
  return value;
}
