import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { registerDecode } from '../../gateway/commands/decode.js';
import { registerEncode } from '../../gateway/commands/encode.js';
import { registerExplain } from '../../gateway/commands/explain.js';

const heartbeat = '7e0002000001390000001700537d027e';

/** Runs one command in this process: what it wrote, and its exit status. */
async function run(...words: string[]): Promise<{ out: string[]; err: string; status: number }> {
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  const program = new Command('linecrew');
  registerDecode(program);
  registerEncode(program);
  registerExplain(program);
  process.exitCode = 0;
  await program.parseAsync(words, { from: 'user' });
  const status = Number(process.exitCode);
  process.exitCode = 0;
  vi.restoreAllMocks();
  return { out: out.join('').trim().split('\n'), err: err.join(''), status };
}

afterEach(() => {
  process.exitCode = 0;
  vi.restoreAllMocks();
});

describe('linecrew decode', () => {
  it('prints one object a line, and joins the parts of a message', async () => {
    const parts = [
      '7e08012028013900000017030000020001000000070000000100000000000c000301c7c05b073e9e81000c0000005a260314101500ffd8ffe0067e',
      '7e0801201201390000001703010002000200104a46494600010100000100010000ffd9237e',
    ];
    const { out, status } = await run('decode', ...parts);
    expect(out.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { messageId: 0x0801, total: 2, index: 1, serial: 768 },
      { messageId: 0x0801, total: 2, index: 2, serial: 769 },
      { messageId: 0x0801, assembled: true, serial: 768, name: 'mediaData', body: { mediaId: 7 } },
    ]);
    expect(status).toBe(0);
  });

  it('tells what was refused with its place, and exits with 1', async () => {
    const { out, status } = await run('decode', `${heartbeat}010203`, heartbeat);
    expect(out.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { messageId: 2, phone: '13900000017', phoneRaw: '013900000017', serial: 83, bodyHex: '' },
      { error: 'too_short', offset: 16, length: 3, hex: '010203' },
      { messageId: 2 },
    ]);
    expect(status).toBe(1);
  });

  it.each([
    [['decode', '7ezz'], /not hex: expected a hex digit, found "z"/],
    [['decode', '--edition', '2019', heartbeat], /--edition: expected 2011 or 2013, found 2019/],
    [['explain', '--edition', '2015', heartbeat], /--edition: expected 2011 or 2013, found 2015/],
    [['decode', '--dialect', 'x', heartbeat], /--dialect: expected common, standard/],
    [['decode', '--framing', 'x', heartbeat], /--framing: expected auto, standard or e7/],
  ])('%j is bad usage', async (words, message) => {
    const { err, status } = await run(...words);
    expect(err).toMatch(message);
    expect(status).toBe(2);
  });
});

describe('linecrew encode', () => {
  it('takes what decode prints', async () => {
    const { out } = await run('decode', heartbeat);
    expect((await run('encode', out[0]!)).out).toEqual([heartbeat]);
  });

  it('takes a name with its fields', async () => {
    const text =
      '{"name":"text","phone":"13900000017","serial":16,"body":{"flags":13,"text":"新任务：人民路12号，更换轮胎"}}';
    expect((await run('encode', text)).out).toEqual([
      '7e8300001d01390000001700100dd0c2c8cecef1a3bac8cbc3f1c2b73132bac5a3acb8fcbbbbc2d6cca5907e',
    ]);
  });

  it('splits what is too long for one frame', async () => {
    const json = JSON.stringify({
      messageId: 0x8108,
      phone: '1',
      assembled: true,
      bodyHex: '00'.repeat(1801),
      serial: 65535,
    });
    const { out } = await run('encode', json);
    expect(out.length).toBe(3);
    expect((await run('decode', ...out)).out.length).toBe(4);
  });

  it.each([
    ['{"name":"text","phone":"1","body":{"flags":999,"text":""}}', 1, /line 1: flags: expected a whole number/],
    ['{"name":"nothing","phone":"1"}', 1, /name: expected the name of a message/],
    ['{"messageId":2,"phone":"12345678901234"}', 1, /phone: expected a phone of 1 to 12 digits/],
    ['{"messageId":2}', 1, /phone: expected a phone as text/],
    ['{"phone":"1"}', 1, /messageId: expected a number/],
    ['[]', 1, /expected an object/],
    ['{', 1, /line 1 is no JSON/],
    ['{"name":"text","phone":"1","body":{"flags":1,"text":"","txet":""}}', 1, /line 1: txet: text has no such field/],
    [
      '{"name":"eventList","phone":"1","body":{"setting":1,"items":[{"id":1,"content":"a"},{"id":2,"content":"b","x":0}]}}',
      1,
      /line 1: items\[1\]\.x: eventList has no such field/,
    ],
  ])('%s is refused', async (json, expected, message) => {
    const { err, status } = await run('encode', json);
    expect(err).toMatch(message);
    expect(status).toBe(expected);
  });
});

describe('from standard input', () => {
  async function fed(pieces: string[], words: string[]): Promise<Awaited<ReturnType<typeof run>>> {
    const stdin = vi.spyOn(process, 'stdin', 'get');
    stdin.mockReturnValue(Readable.from(pieces.map((piece) => Buffer.from(piece, 'latin1')), { objectMode: false }) as never);
    return run(...words);
  } // prettier-ignore

  it('decode refuses a line that is no hex with its number, and reads the others', async () => {
    const { out, status } = await fed([`${heartbeat}\nno hex\n\n7e0\n${heartbeat.slice(0, 8)}`, `${heartbeat.slice(8)}\n`], ['decode']);
    expect(out.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { messageId: 2 },
      { error: 'not_hex', line: 2, offset: 16, detail: 'expected a hex digit, found "n" (value at byte 0)' },
      { error: 'not_hex', line: 4, offset: 16, detail: 'expected an even number of hex digits (value at byte 3)' },
      { messageId: 2 },
    ]);
    expect(status).toBe(1);
  }); // prettier-ignore

  it.each([[['decode']], [['decode', '--binary']]])('%j says that there is nothing', async (words) => {
    const { err, status } = await fed([], words);
    expect([err, status]).toEqual(['error: nothing to decode: the input is empty\n', 2]);
  });

  it('decode prints what a pipe has given before the next line comes', async () => {
    const pipe = new PassThrough();
    const stdin = vi.spyOn(process, 'stdin', 'get').mockReturnValue(pipe as never);
    const program = new Command('linecrew');
    registerDecode(program);
    const printed = new Promise<string>((resolve) => {
      vi.spyOn(process.stdout, 'write').mockImplementation((text) => (resolve(String(text)), true));
    });
    const decoding = program.parseAsync(['decode'], { from: 'user' });
    pipe.write(`${heartbeat}\n`);
    expect(JSON.parse(await printed)).toMatchObject({ messageId: 2 });
    pipe.end();
    await decoding;
    stdin.mockRestore();
  });

  it('encode reports a line that is no JSON, and encodes the others', async () => {
    const line = '{"messageId":2,"phone":"13900000017","serial":83}';
    const { out, err, status } = await fed([`${line}\n{\n${line}\n`], ['encode']);
    expect(out).toEqual([heartbeat, heartbeat]);
    expect(err).toMatch(/^line 2 is no JSON: /);
    expect(status).toBe(1);
  });
});

describe('linecrew explain', () => {
  it('prints a table, or rows as JSON', async () => {
    const { out, status } = await run('explain', heartbeat);
    expect(out[0]).toMatch(/^offset {2}bytes/);
    expect(out.find((line) => line.includes('header.phone'))).toMatch(/^5 .*13900000017$/);
    expect(status).toBe(0);
    const rows = (await run('explain', '--json', heartbeat)).out.map((line) => JSON.parse(line) as { hex: string });
    expect(rows.map(({ hex }) => hex).join('')).toBe(heartbeat);
  });

  it('exits with 1 when a piece is no frame', async () => {
    expect((await run('explain', '7e01027e')).status).toBe(1);
  });
});
