/** `/terminal-files`: what terminals are upgraded from. */
import { z } from 'zod';
import { Answer, route } from '../../dispatch/api/http/route.js';
import { Problem } from '../../dispatch/api/http/problem.js';
import { timeOut } from '../../dispatch/api/schemas/common.js';
import type { ApiPlugin } from '../../dispatch/api/server.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { iso } from '../../dispatch/views/json.js';
import { TERMINAL_FILE_BYTES, TERMINAL_FILES_KEPT, type TerminalFile, type TerminalFiles } from '../terminal-files.js';

const TAG = 'Terminals';
const file = z
  .object({
    id: z.string(),
    name: z.string(),
    bytes: z.int(),
    uploadedAt: timeOut,
    uploadedBy: z.string(),
  })
  .meta({ id: 'TerminalFile' });

const view = ({ uploadedAt, ...rest }: TerminalFile) => ({ ...rest, uploadedAt: iso(uploadedAt) });

export function terminalFilesPlugin(dispatch: DispatchPort, files: TerminalFiles): ApiPlugin {
  return (_app, { route: add }) => {
    add(
      route({
        method: 'POST',
        path: '/terminal-files',
        tag: TAG,
        right: 'terminal.maintain',
        summary: 'Keep a file for upgrades; its id goes into the function `upgrade`',
        description: `At most ${TERMINAL_FILE_BYTES >> 20} MiB; the newest ${TERMINAL_FILES_KEPT} files are kept.`,
        query: z.strictObject({ name: z.string().trim().min(1).max(100) }),
        bodyTypes: ['application/octet-stream'],
        bodyLimit: TERMINAL_FILE_BYTES,
        responses: { 201: { description: 'The file', schema: file } },
        async handler({ query, request, principal }) {
          const bytes = request.body as Uint8Array | undefined;
          if (bytes === undefined || bytes.length === 0) {
            throw new Problem('invalidBody', 'the file is empty', {
              errors: [{ pointer: '#', detail: 'no bytes', expected: 'the bytes of the file' }],
            });
          }
          const about = { name: query.name, uploadedAt: dispatch.clock.now(), uploadedBy: principal.name };
          return new Answer(201, view(await files.put(bytes, about)));
        },
      }),
    );
    add(
      route({
        method: 'GET',
        path: '/terminal-files',
        tag: TAG,
        right: 'terminal.maintain',
        summary: 'Files for upgrades, oldest first',
        responses: { 200: { description: 'All of them', schema: z.object({ items: z.array(file) }) } },
        handler: async () => ({ items: (await files.list()).map(view) }),
      }),
    );
  };
}
