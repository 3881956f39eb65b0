/** The page of `/decode`: one form, one table; its style and script are files of their own, as the content policy asks. */

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>JT/T 808 decoder · Linecrew</title>
<link rel="stylesheet" href="/decode.css">
<script src="/decode.js" type="module"></script>
</head>
<body>
<main>
<h1>JT/T 808 decoder <span lang="zh-CN">报文解析</span></h1>
<form id="form">
<label for="hex">Frames as hex <span lang="zh-CN">十六进制报文</span></label>
<textarea id="hex" name="hex" rows="6" spellcheck="false" autocomplete="off" required autofocus></textarea>
<div class="row">
<label>Short header is <select name="edition">
<option value="">as detected</option><option value="2013">2013</option><option value="2011">2011</option>
</select></label>
<button type="submit">Explain <span lang="zh-CN">解析</span></button>
</div>
</form>
<p id="status" role="status"></p>
<table id="table" hidden>
<thead><tr><th>offset</th><th>bytes</th><th>field</th><th>meaning</th><th>value</th></tr></thead>
<tbody id="rows"></tbody>
</table>
</main>
</body>
</html>
`;

export const STYLE = `:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 80rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; }
form { display: grid; gap: .5rem; }
textarea { font: 13px/1.5 ui-monospace, monospace; width: 100%; box-sizing: border-box; }
.row { display: flex; gap: 1rem; align-items: center; justify-content: space-between; }
button { font: inherit; padding: .4rem 1.2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
th { position: sticky; top: 0; background: Canvas; }
td:nth-child(1) { font-variant-numeric: tabular-nums; text-align: right; }
td:nth-child(2), td:nth-child(3) { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
td:nth-child(2) { max-width: 22rem; }
tr.refused td, #status.error { color: light-dark(#b00020, #ff8a80); }
`;

export const SCRIPT = `const form = document.getElementById('form');
const status = document.getElementById('status');
const table = document.getElementById('table');
const rows = document.getElementById('rows');

function say(text, error) {
  status.textContent = text;
  status.className = error ? 'error' : '';
}

/** Text only: what terminals send is never taken for markup. */
function show(found) {
  rows.replaceChildren(...found.map(({ offset, hex, field, meaning, value }) => {
    const row = document.createElement('tr');
    if (field === 'refused' || field === 'unterminated') row.className = 'refused';
    for (const text of [offset, hex.replace(/(..)(?=.)/g, '$1 '), field, meaning, value]) {
      row.append(Object.assign(document.createElement('td'), { textContent: String(text) }));
    }
    return row;
  }));
  table.hidden = found.length === 0;
}

async function csrfToken() {
  const session = await fetch('/api/v1/me', { headers: { accept: 'application/json' } });
  return session.ok ? (await session.json()).csrf : undefined;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  const edition = data.get('edition');
  const body = { hex: data.get('hex'), ...(edition ? { edition } : {}) };
  say('…');
  try {
    const csrf = await csrfToken();
    const response = await fetch('/api/v1/decode', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(csrf ? { 'x-csrf-token': csrf } : {}) },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (response.status === 401) {
      location.href = '/sign-in';
      return;
    }
    if (!response.ok) throw new Error(answer.detail ?? response.statusText);
    show(answer.rows);
    const cut = answer.cutFrom ? \`, the first \${answer.rows.length} of \${answer.cutFrom} rows\` : '';
    say(\`\${answer.frames.length} frame\${answer.frames.length === 1 ? '' : 's'}\${cut}\`);
  } catch (error) {
    show([]);
    say(error.message, true);
  }
});
`;
