/** The documentation as one page of HTML: no script, no foreign file, so it works offline and under the content policy. */
import { PROBLEMS } from './http/problem.js';
import type { OpenApiDocument, Operation } from './openapi.js';

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** Our own texts use `code` and line breaks, nothing else. */
const prose = (text: string): string =>
  escape(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n\n', '<br>');

export function documentationPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = document.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<section id="${slug(name)}"><h2>${escape(name)}</h2>${own.map(operationHtml).join('')}</section>`;
  });
  const links = document.tags.map(({ name }) => `<a href="#${slug(name)}">${escape(name)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Linecrew API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header><h1>Linecrew API <small>${escape(document.info.version)}</small></h1>
<p>${prose(document.info.description)} The same as <a href="/api/v1/openapi.json">OpenAPI 3.1</a>.</p>
<nav>${links.join(' ')} <a href="#schemas">Schemas</a> <a href="#problems">Problems</a></nav></header>
<main>${sections.join('\n')}
<section id="schemas"><h2>Schemas</h2>${schemasHtml(document)}</section>
<section id="problems"><h2>Problems</h2><p>Codes of the server; the rules of dispatch bring codes of their own (status 409, and the words in <code>detail</code>).</p>${problemsHtml()}</section>
</main>
</body>
</html>
`;
}

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  return `<details id="${escape(operation.operationId)}">
<summary><b class="method ${method}">${method.toUpperCase()}</b> <code>${escape(path)}</code> <span>${prose(operation.summary)}</span></summary>
${operation.description ? `<p>${prose(operation.description)}</p>` : ''}${parametersHtml(operation)}${bodyHtml(operation)}${responsesHtml(operation)}
</details>`;
}

function parametersHtml({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    (p) =>
      `<tr><td><code>${escape(p.name)}</code></td><td>${p.in}${p.required ? ', required' : ''}</td><td>${prose(p.description ?? '')}</td><td>${typeOf(p.schema)}</td></tr>`,
  );
  return `<table><thead><tr><th>Parameter</th><th>In</th><th>Meaning</th><th>Type</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function typeOf(schema: object): string {
  const {
    type,
    enum: values,
    format,
    $ref,
  } = schema as {
    type?: string | string[];
    enum?: unknown[];
    format?: string;
    $ref?: string;
  };
  const name = $ref?.split('/').at(-1);
  if (name !== undefined) return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
  if (values) return `<code>${escape(values.map(String).join(' | '))}</code>`;
  return escape([[type ?? 'any'].flat().join(' | '), format].filter(Boolean).join(', '));
}

function bodyHtml({ requestBody }: Operation): string {
  if (!requestBody) return '';
  const parts = Object.entries(requestBody.content).map(
    ([type, { schema }]) =>
      `<h4>Body, ${escape(type)}${requestBody.required ? '' : ' (optional)'}</h4>${schemaHtml(schema)}`,
  );
  return parts.join('');
}

function responsesHtml({ responses }: Operation): string {
  return Object.entries(responses)
    .filter(([status]) => status !== 'default')
    .map(([status, { description, content = {} }]) => {
      const bodies = Object.entries(content).map(([type, { schema }]) => `<p>${escape(type)}</p>${schemaHtml(schema)}`);
      return `<h4>${escape(status)}: ${escape(description)}</h4>${bodies.join('')}`;
    })
    .join('');
}

/** References to named schemas are links to them. */
const schemaHtml = (schema: object): string =>
  `<pre>${escape(JSON.stringify(schema, null, 2)).replace(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">$1</a>')}</pre>`;

function schemasHtml({ components }: OpenApiDocument): string {
  return Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, schema]) =>
        `<details id="schema-${name}"><summary><code>${name}</code></summary>${schemaHtml(schema)}</details>`,
    )
    .join('');
}

function problemsHtml(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, [status, title]]) =>
      `<tr id="problem-${code}"><td>${status}</td><td><code>${code}</code></td><td>${escape(title)}</td></tr>`,
  );
  return `<table><thead><tr><th>Status</th><th>Code</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

export const STYLE = `:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
header nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .5rem 0; border-block: 1px solid var(--line); }
h1 small { font-weight: normal; opacity: .7; }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; }
summary { cursor: pointer; }
summary span { opacity: .8; }
.method { display: inline-block; min-width: 4.5em; font-size: .8em; }
.get { color: #2e7d32; } .post { color: #1565c0; } .put, .patch { color: #a15c00; } .delete { color: #c62828; }
@media (prefers-color-scheme: dark) { .get { color: #81c784; } .post { color: #64b5f6; } .put, .patch { color: #ffb74d; } .delete { color: #ef9a9a; } }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--soft); }
pre { background: var(--soft); padding: .6rem; overflow: auto; max-height: 24rem; font-size: 12px; }
code { font-size: .95em; }
`;
