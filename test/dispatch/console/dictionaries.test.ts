import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
});
