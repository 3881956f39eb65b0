import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { alarmBits, parameters } from '../../../protocol/index.js';
import { terminalFunctions } from '../../../gateway/terminal-functions/index.js';
import { LEG_STATES, POINTS, STAGES } from '../../../dispatch/domain/model.js';
import { ROLES } from '../../../dispatch/rights.js';

const read = (language: string): Record<string, string> =>
  JSON.parse(
    readFileSync(new URL(`../../../dispatch/console/src/i18n/${language}.json`, import.meta.url), 'utf8'),
  ) as Record<string, string>;
const zh = read('zh-CN');
const en = read('en');
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

describe('the dictionaries of the console', () => {
  it('have the same keys', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it('have no empty words', () => {
    for (const words of [...Object.values(zh), ...Object.values(en)]) expect(words.trim()).not.toBe('');
  });

  it('take the same values in both languages', () => {
    for (const key of Object.keys(zh)) expect([key, placeholders(en[key]!)]).toEqual([key, placeholders(zh[key]!)]);
  });

  it('know every stage, leg state, point and role of the domain', () => {
    const needed = [
      ...STAGES.map((one) => `stage.${one}`),
      ...LEG_STATES.map((one) => `leg.${one}`),
      ...POINTS.map((one) => `point.${one}`),
      ...ROLES.map((one) => `role.${one}`),
    ];
    expect(needed.filter((key) => !(key in zh))).toEqual([]);
  });

  it('know every function and parameter of a terminal, and every alarm', () => {
    const needed = [
      ...terminalFunctions.map(({ name }) => `fn.${name}`),
      ...parameters.map(({ name }) => `param.${name}`),
      ...([2011, 2013, 2019] as const)
        .flatMap((edition) => Object.values(alarmBits(edition)))
        .map((one) => `alarm.${one}`),
    ];
    expect(needed.filter((key) => !(key in zh))).toEqual([]);
  });

  it('say every refusal of the rules in words', () => {
    const codes = readdirSync(new URL('../../../dispatch/domain/', import.meta.url))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`../../../dispatch/domain/${file}`, import.meta.url), 'utf8'))
      .flatMap((source) => [...source.matchAll(/\bnew Refusal\(\s*'(\w+)'/g)])
      .map((match) => match[1]!);
    expect(codes).toContain('noRule');
    expect(codes.filter((code) => !(`problem.${code}` in zh))).toEqual([]);
  });

  it('say every alert of the rules, as the server says it', async () => {
    const { SAY } = await import('../../../dispatch/domain/escalation-words.js');
    const sources = readdirSync(new URL('../../../dispatch/domain/', import.meta.url))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`../../../dispatch/domain/${file}`, import.meta.url), 'utf8'))
      .join('\n');
    const kinds = Object.keys(zh).filter((key) => key.startsWith('alertText.')).map((key) => key.slice('alertText.'.length)); // prettier-ignore
    const raised = [
      ...sources.matchAll(/raiseAlert\(tx, \{[^]*?\bkind: '(\w+)'/g),
      ...sources.matchAll(/^ {2}(\w+): \(w\) =>/gm),
    ];
    expect(raised.map((match) => match[1]!).filter((kind) => !kinds.includes(kind))).toEqual([]);
    // The same words as the server's own, where it has them in both languages.
    for (const [language, dictionary] of [
      ['zh-CN', zh],
      ['en', en],
    ] as const) {
      for (const kind of kinds.filter((one) => SAY.en(one, {}) !== one)) {
        const text = dictionary[`alertText.${kind}`]!;
        const words = Object.fromEntries(placeholders(text).map((name) => [name, `<${name}>`]));
        expect(text.replace(/\{(\w+)\}/g, (_, name: string) => words[name]!)).toBe(SAY[language](kind, words));
      }
    }
  });

  it('know every question that the rules put to a person, with its choices', () => {
    const sources = readdirSync(new URL('../../../dispatch/domain/', import.meta.url))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`../../../dispatch/domain/${file}`, import.meta.url), 'utf8'));
    const raised = sources.flatMap((source) => [
      ...source.matchAll(/\b(?:raiseCard|quarantine)\(tx, \{[^]*?\bcode: '(\w+)'[^]*?\}\)/g),
    ]);
    const codes = raised.map((match) => match[1]!);
    const choices = raised.flatMap((match) => [
      ...(/choices: ([^\n]*)/.exec(match[0])?.[1] ?? '').matchAll(/'(\w+)'/g),
    ]);
    expect(codes).toContain('crossedRecall');
    expect(choices.length).toBeGreaterThan(10);
    const needed = [...codes.map((code) => `cardText.${code}`), ...choices.map((match) => `choice.${match[1]!}`)];
    expect(needed.filter((key) => !(key in zh))).toEqual([]);
  });
});
