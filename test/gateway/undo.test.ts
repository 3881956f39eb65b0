import { describe, expect, it } from 'vitest';
import { Undo } from '../../gateway/undo.js';

function wordsOf(said: string[]) {
  const say = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void said.push(`${level} ${String(fields['part'])}: ${message}`);
  return { info: say('info'), warn: say('warn'), error: say('error') };
}

describe('undo', () => {
  it('stops in the opposite order, names each part, and does so once', async () => {
    const said: string[] = [];
    const stopped: string[] = [];
    const undo = new Undo();
    for (const name of ['store', 'http', 'mqtt']) undo.add(name, async () => stopped.push(name));
    await Promise.all([undo.run(wordsOf(said)), undo.run(wordsOf(said))]);
    expect(stopped).toEqual(['mqtt', 'http', 'store']);
    expect(said).toEqual(['mqtt', 'http', 'store'].map((name) => `info ${name}: stopping a part`));
  });

  it('goes on when a part fails', async () => {
    const said: string[] = [];
    const stopped: string[] = [];
    const undo = new Undo();
    undo.add('first', () => stopped.push('first'));
    undo.add('at once', () => {
      throw new Error('no');
    });
    undo.add('later', () => Promise.reject(new Error('no')));
    await undo.run(wordsOf(said));
    expect(stopped).toEqual(['first']);
    expect(said.filter((line) => line.startsWith('error'))).toEqual([
      'error later: a part did not stop cleanly',
      'error at once: a part did not stop cleanly',
    ]);
  });

  it('goes on without parts that do not come to an end, and says which', async () => {
    const said: string[] = [];
    const stopped: string[] = [];
    const undo = new Undo(20);
    undo.add('first', () => stopped.push('first'));
    undo.add('hangs', () => new Promise(() => {}));
    undo.add('hangs too', () => new Promise(() => {}));
    await undo.run(wordsOf(said));
    expect(stopped).toEqual(['first']);
    expect(said.filter((line) => line.startsWith('warn'))).toEqual(
      ['hangs too', 'hangs'].map(
        (name) => `warn ${name}: a part does not come to its end: stopping the others without it`,
      ),
    );
  });
});
