/** The rules that a customer changes: who repairs what, required fields of the fault record, trades by category. */
import { z } from 'zod';
import type { DispatchSettings } from '../../domain/settings.js';
import { id, name } from './common.js';

const VOLTAGES = ['low', '10kV', 'other'] as const;
/** More rules than a person can keep in order are a mistake of the program that made them. */
const MAX_RULES = 200;

interface RuleShape {
  name: string;
  categories?: string[] | undefined;
  voltages?: string[] | undefined;
  areas?: string[] | undefined;
}

/** The schema, with the categories and trades of the configuration. */
export function rulesSchema({ categories, trades }: Pick<DispatchSettings, 'categories' | 'trades'>) {
  const category = z.enum(categories as [string, ...string[]]);
  const routing = z
    .strictObject({
      name,
      categories: z.array(category).max(100).optional().meta({ description: 'Absent or empty: any' }),
      voltages: z.array(z.enum(VOLTAGES)).max(3).optional(),
      areas: z.array(z.string().trim().max(60)).max(500).optional().meta({ description: '"" = area not given' }),
      unitKind: z.string().trim().min(1).max(60),
      repairCentreId: id.optional(),
    })
    .meta({ id: 'RoutingRule' });
  return z
    .strictObject({
      routing: z.array(routing).max(MAX_RULES).superRefine(eachMayMatch).optional().meta({
        description: 'Who repairs what: the first rule that matches wins; absent: the table of a new store',
      }),
      requiredFields: z
        .partialRecord(
          category,
          z
            .array(
              z
                .string()
                .regex(/^[A-Za-z][A-Za-z0-9_]*$/)
                .max(60),
            )
            .max(50),
        ) // prettier-ignore
        .optional()
        .meta({ description: 'Fields of the fault record by category, beside cause and done' }),
      trades: z
        .partialRecord(category, z.array(z.enum(trades as [string, ...string[]])).max(50)) // prettier-ignore
        .optional()
        .meta({ description: 'Trades that can do a category; absent or empty: any' }),
    })
    .meta({ id: 'Rules' });
}

/** A rule whose name was used, or that an earlier one leaves nothing to, is a mistake that nobody would find later. */
function eachMayMatch(rules: readonly RuleShape[], context: z.RefinementCtx): void {
  rules.forEach((rule, i) => {
    const earlier = rules.slice(0, i);
    if (earlier.some((one) => one.name === rule.name))
      context.addIssue({ code: 'custom', path: [i, 'name'], message: `"${rule.name}" is used twice` });
    const first = earlier.find((one) => covers(one, rule));
    if (first)
      context.addIssue({
        code: 'custom',
        path: [i],
        message: `never matches: "${first.name}" before it takes all of it`,
      });
  });
}

const covers = (a: RuleShape, b: RuleShape): boolean =>
  includesAll(a.categories, b.categories) && includesAll(a.voltages, b.voltages) && includesAll(a.areas, b.areas);

function includesAll(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === 0 || (b.length > 0 && b.every((one) => a.includes(one)));
}
