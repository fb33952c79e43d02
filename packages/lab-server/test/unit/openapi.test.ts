import { Validator } from '@seriousme/openapi-schema-validator';
import openapiTS, { astToString } from 'openapi-typescript';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { PROBLEM_IDS } from '../../src/admin/problem.ts';
import { component } from '../../src/rest/components.ts';
import { SchemaComponents } from '../../src/rest/json-schema.ts';
import { adminRestDocument } from '../../src/rest/route-table.ts';
import { AdminLab, TENANT } from '../support/admin-lab.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly 'x-least-role'?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, object>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>>; readonly 'x-error-ids'?: readonly string[] }>>;
}
interface Document {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>> & { readonly servers?: readonly object[] }>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: Readonly<Record<string, object>> }>> };
}

const document = adminRestDocument() as Document;

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1 for a foreign validator, which finds what is not', async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...structuredClone(document) })).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    const wrong = { ...structuredClone(document), paths: { '/users': { get: { responses: { 200: {} } } } } };
    expect((await new Validator().validate(wrong)).valid).toBe(false);
  });

  it('has every route of the table, and no other', async () => {
    const { routes } = await AdminLab.start();
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((name) => name !== 'servers')
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('says what a route takes, answers, refuses and needs', () => {
    const send = document.paths['/users/{guid}/userDevices/{device}/commands']?.['post'] as Operation;
    expect(send).toMatchObject({ operationId: 'sendCommand', 'x-least-role': 'helpDesk' });
    expect(send.parameters?.map(({ name }) => name)).toEqual(['guid', 'device']);
    expect(Object.keys(send.requestBody?.content ?? {})).toEqual(['application/json', 'application/vnd.blackberry.command-v1+json']);
    expect(send.responses['201']?.content).toEqual({ 'application/vnd.blackberry.command-v1+json': { schema: { $ref: '#/components/schemas/SentCommand' } } });
    expect(send.responses['409']?.['x-error-ids']).toEqual(['DEVICE_NOT_ACTIVE', 'COMMAND_NOT_APPLICABLE', 'QUEUE_FULL']);
    expect(document.components.schemas['Error']?.properties?.['id']).toMatchObject({ enum: PROBLEM_IDS });
    const list = document.paths['/users']?.['get'] as Operation;
    expect(list.parameters?.map(({ name }) => name)).toEqual(['max', 'offset', 'sortBy', 'query']);
    expect(document.paths['/util/ping']?.['get']).toMatchObject({ security: [] });
    const journal = document.paths['/lab/v1/journal'];
    expect(journal?.servers).toEqual([{ url: '/' }]);
    expect(journal?.['get']?.parameters?.[0]).toMatchObject({ name: 'after', in: 'query', schema: { type: 'integer', minimum: 0 } });
  });

  it('is served with the path of the tenant, otherwise the same', async () => {
    const lab = await AdminLab.start();
    const { json } = await lab.ask('GET', '/openapi.json');
    expect(json.servers).toEqual([{ url: `/${TENANT}/api/v1` }]);
    expect({ ...json, servers: document.servers }).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('is read by a foreign generator of clients', async () => {
    const source = astToString(await openapiTS(document as never));
    for (const methods of Object.values(document.paths))
      for (const { operationId } of Object.values(methods) as readonly Partial<Operation>[])
        if (operationId !== undefined) expect(source).toContain(`operations["${operationId}"]`);
  });

  it('gives one name to one schema', () => {
    const components = new SchemaComponents();
    expect(components.schema(component('A', v.strictObject({ a: v.string() })))).toEqual({ $ref: '#/components/schemas/A' });
    components.schema(component('A', v.strictObject({ a: v.string() })));
    expect(() => components.schema(component('A', v.strictObject({ a: v.number() })))).toThrow('two schemas are called A');
  });
});
