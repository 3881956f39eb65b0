import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Api, type Json } from './support.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

describe('the documentation', () => {
  let api: Api;
  let document: Json;
  beforeAll(async () => {
    api = await startApi({
      plugins: [
        (_app, { route }) =>
          route({ method: 'GET', path: '/terminals', tag: 'Terminals', right: 'terminal.read', summary: 'of a plugin', responses: { 200: { description: 'ok' } }, handler: () => ({}) }),
      ],
    }); // prettier-ignore
    document = (await api.get('/openapi.json', { token: null })).json;
  });
  afterAll(() => api.close());

  /** Every operation with its path and method. */
  const operations = (): [path: string, method: string, operation: Json][] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as Json).map(([method, operation]) => [path, method, operation] as [string, string, Json]),
    );

  it('has the structure of OpenAPI 3.1', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toMatchObject({ title: 'Linecrew', version: expect.any(String) });
    const ids = operations().map(([, , operation]) => operation.operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, method, operation] of operations()) {
      const where = `${method} ${path}`;
      expect(METHODS, where).toContain(method);
      expect(operation.summary.length, where).toBeGreaterThan(3);
      expect(
        Object.keys(operation.responses).some((status) => /^[23]\d\d$/.test(status)),
        where,
      ).toBe(true);
      for (const response of Object.values<Json>(operation.responses))
        expect(response.description, where).toBeTypeOf('string');
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'path');
      expect(declared.map((parameter: Json) => parameter.name).sort(), where).toEqual(inPath.sort());
      for (const parameter of declared) expect(parameter.required, where).toBe(true);
      for (const parameter of operation.parameters ?? []) expect(parameter.schema, where).toBeTypeOf('object');
    }
  });

  it('refers only to what is there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map((match) => match[1]!);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of new Set(references)) {
      const target = reference
        .split('/')
        .slice(1)
        .reduce<Json>((node, key) => node?.[key], document);
      expect(target, reference).toBeDefined();
    }
  });

  it('names what many routes give, once, and leaves answers open to growth', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Order', 'Vehicle', 'Event', 'Problem', 'TimePoint']),
    );
    const { schema } = document.paths['/api/v1/orders/{id}'].get.responses['200'].content['application/json'];
    expect(schema).toEqual({ $ref: '#/components/schemas/Order' });
    expect(JSON.stringify(document.components.schemas.Order)).not.toContain('"additionalProperties":false');
    expect(JSON.stringify(document).length).toBeLessThan(200_000);
  });

  it('describes bodies by the schemas that validate them', () => {
    const { schema } = document.paths['/api/v1/orders'].post.requestBody.content['application/json'];
    expect(schema.required).toEqual(['customer', 'site', 'fault']);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.site.properties.lat).toMatchObject({ type: 'number', minimum: -90, maximum: 90 });
    expect(schema.properties.priority.enum).toEqual(['normal', 'urgent']);
    const step = document.paths['/api/v1/orders/{id}/accept'].post.requestBody;
    expect(step.required).toBe(false);
    expect(Object.keys(step.content['application/json'].schema.properties).sort()).toEqual([
      'at',
      'confirm',
      'leg',
      'note',
      'reason',
    ]);
  });

  it('lists the routes of plugins with those of the server', () => {
    expect(document.paths['/api/v1/terminals'].get['x-roles']).toEqual(['administrator', 'dispatcher']);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/healthz', '/readyz', '/metrics', '/api/v1/stream']),
    );
  });

  it('can be read as a page without script and without any other host', async () => {
    const page = await api.get('/api/docs', { token: null });
    expect(page.headers.get('content-type')).toMatch('text/html');
    expect(page.text).not.toMatch(/<script|javascript:|\son\w+=|style=/i);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//i);
    for (const [path, , operation] of operations()) {
      expect(page.text).toContain(`<code>${path}</code>`);
      expect(page.text).toContain(`id="${operation.operationId}"`);
    }
    const style = await api.get('/api/docs.css', { token: null });
    expect(style.headers.get('content-type')).toMatch('text/css');
  });
});
