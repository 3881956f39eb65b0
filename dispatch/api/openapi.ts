/** OpenAPI 3.1 from the declared routes: the schemas are the ones that validate. */
import { z } from 'zod';
import { RIGHTS, type Right } from '../rights.js';
import { API_ROOT, fullPath, type ResponseSpec, type Route } from './http/route.js';

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }>; headers?: object }>;
  'x-roles'?: readonly string[];
}
interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: object;
}
export interface OpenApiDocument {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } };
  servers: { url: string }[];
  security: Record<string, string[]>[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

type JsonSchema = {
  properties?: Record<string, JsonSchema & { description?: string }>;
  required?: string[];
  description?: string;
  [key: string]: unknown;
};

const ABOUT =
  'Every error is an RFC 9457 problem with a stable `code`. Collections are pages `{items, next}`; `?after=` takes `next`. ' +
  '`Idempotency-Key` is honoured on every POST, `If-Match` on changes. Times are ISO 8601 UTC.';

/** Schemas with a name (`meta({id})`), told once and referred to. */
type Components = Record<string, object>;

/**
 * JSON Schema (draft 2020-12, which OpenAPI 3.1 takes as it is). Named schemas move to the components. What goes out
 * may grow: only what comes in is closed.
 */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Components): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
    override: ({ jsonSchema: one }) => {
      if (io === 'output' && one.additionalProperties === false) delete one.additionalProperties;
    },
  });
  const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema: _dialect, $defs = {}, ...rest } = JSON.parse(text) as JsonSchema & { $defs?: Components };
  Object.assign(components, $defs);
  return rest;
}

export function openApi(routes: readonly Route[], about: { version: string; url?: string }): OpenApiDocument {
  const shown = routes.filter((spec) => !spec.hidden);
  const paths: OpenApiDocument['paths'] = {};
  const components: Components = { Problem: jsonSchema(problem, 'output', {}) };
  for (const spec of shown) {
    const path = (paths[fullPath(spec)] ??= {});
    path[spec.method.toLowerCase()] = operation(spec, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Linecrew',
      version: about.version,
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: about.url ?? '/' }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [...new Set(shown.map((spec) => spec.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API token' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'linecrew',
          description: 'Session cookie; changes also need X-CSRF-Token',
        },
      },
    },
  };
}

function operation(spec: Route, components: Components): Operation {
  const parameters = [
    ...parametersOf(spec.params, 'path', components),
    ...parametersOf(spec.query, 'query', components),
    ...headersOf(spec),
  ];
  const description = [spec.description, rolesOf(spec)].filter(Boolean).join('\n\n');
  return {
    operationId: operationId(spec),
    tags: [spec.tag],
    summary: spec.summary,
    ...(description ? { description } : {}),
    ...(spec.right === 'public' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(spec, components),
    responses: responsesOf(spec, components),
    ...(isAction(spec.right) ? { 'x-roles': RIGHTS[spec.right].roles } : {}),
  };
}

/** `post_orders_id_assign` */
const operationId = (spec: Route): string =>
  `${spec.method.toLowerCase()}_${fullPath(spec)
    .replace(API_ROOT, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')}`;

const isAction = (right: Route['right']): right is keyof typeof RIGHTS => right in RIGHTS;

function rolesOf(spec: Route): string {
  if (!isAction(spec.right)) return '';
  const right: Right = RIGHTS[spec.right];
  return `Right \`${spec.right}\`: ${right.roles.join(', ')}; token scope \`${right.area}:${right.kind}\`.`;
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query', components: Components): Parameter[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', components);
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description ? { description } : {}),
    schema: rest,
  }));
}

function headersOf(spec: Route): Parameter[] {
  const text = { type: 'string' };
  const list: Parameter[] = [];
  if (spec.method === 'POST' && spec.right !== 'public') {
    list.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      schema: text,
      description: 'Same key, same answer',
    });
  }
  if (spec.method !== 'GET' && spec.params)
    list.push({ name: 'If-Match', in: 'header', required: false, schema: text, description: 'Version as in ETag' });
  if (spec.produces?.includes('text/event-stream'))
    list.push({ name: 'Last-Event-ID', in: 'header', required: false, schema: text });
  return list;
}

function requestBody(spec: Route, components: Components): Pick<Operation, 'requestBody'> {
  if (spec.bodyTypes) {
    const content = Object.fromEntries(
      spec.bodyTypes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
    );
    return { requestBody: { required: true, content } };
  }
  if (!spec.body) return {};
  const required = !spec.body.safeParse(undefined).success;
  return {
    requestBody: { required, content: { 'application/json': { schema: jsonSchema(spec.body, 'input', components) } } },
  };
}

function responsesOf(spec: Route, components: Components): Operation['responses'] {
  const responses: Operation['responses'] = {};
  for (const [status, { description, schema, mediaTypes }] of Object.entries<ResponseSpec>(spec.responses)) {
    const content: Record<string, { schema: object }> = {};
    if (schema) content['application/json'] = { schema: jsonSchema(schema, 'output', components) };
    for (const type of mediaTypes ?? []) content[type] = { schema: { type: 'string' } };
    responses[status] = { description, ...(Object.keys(content).length > 0 ? { content } : {}) };
  }
  responses['default'] = {
    description: 'A problem (RFC 9457)',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  return responses;
}

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().meta({ description: 'Stable' }),
  instance: z.string().optional(),
  errors: z
    .array(
      z.object({
        detail: z.string(),
        pointer: z.string().optional(),
        parameter: z.string().optional(),
        header: z.string().optional(),
        expected: z.string().optional(),
      }),
    )
    .optional(),
  details: z.looseObject({}).optional(),
});
