/** The OpenAPI document, and the page on which people read it. */
import { z } from 'zod';
import { documentationPage, STYLE } from '../docs-page.js';
import { Answer, route, type Route } from '../http/route.js';
import { openApi } from '../openapi.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Operation';

export function documentationRoutes({ registrar, config }: RouteDeps): Route[] {
  // Made at the first look: plugins have added their routes by then, and nothing changes afterwards.
  let made: { json: string; page: string } | undefined;
  const documents = (): { json: string; page: string } => {
    if (made) return made;
    const document = openApi(registrar.routes, {
      version: config.version ?? '0.0.0',
      ...(config.publicUrl ? { url: config.publicUrl } : {}),
    });
    made = { json: JSON.stringify(document), page: documentationPage(document) };
    return made;
  };
  return [
    route({
      method: 'GET',
      path: '/openapi.json',
      tag: TAG,
      right: 'public',
      summary: 'This API as OpenAPI 3.1',
      responses: { 200: { description: 'The document', schema: z.looseObject({ openapi: z.string() }) } },
      handler: () =>
        new Answer(200, documents().json, {
          'content-type': 'application/json; charset=utf-8',
          'cache-control': 'no-cache',
        }),
    }),
    route({
      method: 'GET',
      path: '/api/docs',
      root: true,
      tag: TAG,
      right: 'public',
      summary: 'This API, to be read',
      produces: ['text/html'],
      responses: { 200: { description: 'A page', mediaTypes: ['text/html'] } },
      handler: () => new Answer(200, documents().page, { 'content-type': 'text/html; charset=utf-8' }),
    }),
    route({
      method: 'GET',
      path: '/api/docs.css',
      root: true,
      tag: TAG,
      right: 'public',
      hidden: true,
      summary: 'Style of that page',
      produces: ['text/css'],
      responses: { 200: { description: 'Style', mediaTypes: ['text/css'] } },
      handler: () =>
        new Answer(200, STYLE, { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'max-age=3600' }),
    }),
  ];
}
