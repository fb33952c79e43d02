import { LAB_VERSION } from '../version.ts';
import { openApiDocument } from './openapi.ts';
import { type Route, route } from './route.ts';
import { documentView } from './views.ts';

/** The document of all routes, this one included; made once, when somebody asks. */
export function openApiRoute(routes: () => readonly Route[]): Route {
  let made: object | undefined;
  return route({
    id: 'getOpenApi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'Gives this document (OpenAPI 3.1)',
    tag: 'system',
    role: 'readOnly',
    answers: { 200: { schema: documentView } },
    run({ base }) {
      made ??= openApiDocument({ routes: routes(), version: LAB_VERSION, base });
      return { status: 200, body: made };
    },
  });
}
