import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerTransfer } from '../../gateway/commands/transfer.js';
import { readCsv } from '../../gateway/transfer/csv-read.js';
import type { ImportResult } from '../../gateway/transfer/transfer.js';
import { runCommand } from './run-command.js';
import { Service } from './support.js';

let service: Service;
beforeEach(async () => {
  service = await new Service().start();
});
afterEach(async () => {
  process.exitCode = 0;
  await service.stop();
});

const run = (...args: string[]): Promise<string> => runCommand(registerTransfer, service.directory, args);
async function importText(name: string, text: string, ...more: string[]): Promise<ImportResult> {
  const file = join(service.directory, name);
  writeFileSync(file, text);
  return JSON.parse(await run('import', file, '--json', ...more)) as ImportResult;
}
const places = ({ errors }: ImportResult): string[] => errors.map(({ line, field }) => `${line}:${field ?? ''}`);

const VEHICLES = `id,plate,phone,profile,repairCentreId,trade,crew,members,managers,unitId,sharesOffice,language
t-1,京A00001,13000000001,smart,centre-1,lowVoltage,first,Li 13900000001; Wang,Zhou 13600000001,,yes,en
t-2,京A00002,013000000002,,centre-1,cable,"second, of two",Zhao,,,no,
`;

describe('vehicles and crews from CSV', () => {
  it('makes, changes and leaves alone; a dry run only says so; what is exported is the same again', async () => {
    expect(await importText('v.csv', VEHICLES, '--dry-run')).toMatchObject({ applied: false, created: ['t-1', 't-2'] });
    expect(await service.gateway.dispatch.get('vehicle', 't-1')).toBeUndefined();
    expect(await importText('v.csv', VEHICLES)).toMatchObject({ applied: true, created: ['t-1', 't-2'], errors: [] });
    expect(await service.get('vehicle', 't-1')).toMatchObject({
      plate: '京A00001',
      sharesOffice: true,
      language: 'en',
      crew: { name: 'first', members: [{ name: 'Li', phone: '13900000001' }, { name: 'Wang' }], managers: [{ name: 'Zhou', phone: '13600000001' }] },
    }); // prettier-ignore
    expect((await service.get('vehicle', 't-2')).crew.name).toBe('second, of two');
    expect((await service.get('terminal', '13000000001')).statedProfile).toBe('smart');

    const versions = async () =>
      Promise.all(['t-1', 't-2'].map(async (id) => (await service.gateway.dispatch.get('vehicle', id))!.version));
    const [before, same] = [await versions(), await run('export', 'vehicles')];
    expect(await importText('same.csv', same)).toMatchObject({ changed: [], unchanged: ['t-1', 't-2'] });
    for (const format of ['csv', 'yaml'])
      expect(await importText(`rules.${format}`, await run('export', 'rules', '--format', format))).toMatchObject({ rules: 'unchanged' }); // prettier-ignore
    expect(await service.gateway.dispatch.get('rules', 'rules')).toBeUndefined();
    expect(await versions()).toEqual(before);

    const crews = 'id,crew,members\nt-2,renamed,"Sun 13900000009"\n';
    expect(await importText('c.csv', crews)).toMatchObject({ changed: ['t-2'], unchanged: [] });
    expect((await service.get('vehicle', 't-2')).crew).toMatchObject({ name: 'renamed', members: [{ name: 'Sun' }] });
    expect(await importText('c.csv', crews)).toMatchObject({ changed: [], unchanged: ['t-2'] });

    const exported = await run('export', 'vehicles');
    await service.gateway.stop();
    // From here on no gateway runs: the commands open the store themselves.
    expect(await run('export', 'vehicles')).toBe(exported);
    const yaml = await run('export', 'vehicles', '--format', 'yaml');
    expect(await importText('again.yaml', yaml)).toMatchObject({ errors: [], changed: [], unchanged: ['t-1', 't-2'] });
    await service.start();
  });

  it('takes a file of many hundred vehicles, and changes all of them', async () => {
    const ids = Array.from({ length: 350 }, (_, i) => `t-${String(i).padStart(3, '0')}`);
    const file = (plate: string) =>
      ['id,plate,phone,repairCentreId,trade,crew', ...ids.map((id, i) => `${id},${plate}${i},1300000${1000 + i},centre-1,cable,${id}`)].join('\n'); // prettier-ignore
    expect(await importText('v.csv', file('A'))).toMatchObject({ applied: true, created: ids });
    expect(await importText('v.csv', file('B'))).toMatchObject({ applied: true, created: [], changed: ids });
    const found = await service.gateway.dispatch.getMany('vehicle', ids);
    expect(found.map((one) => one?.value.plate)).toEqual(ids.map((_, i) => `B${i}`));
  });

  it('tells everything that is wrong at once, by line, and changes nothing', async () => {
    const wrong = `id,plate,phone,repairCentreId,trade,crew,sharesOffice
t-1,京A1,13000000001,centre-1,lowVoltage,first,yes
t-2,,13000000002,centre-1,lowVoltage,second,maybe
"t-3",京A3,"13000000001",nowhere,magic,"third
crew",no
t-1,京A4,13000000004,centre-1,cable,fourth,no
`;
    const result = await importText('v.csv', wrong);
    expect(result.applied).toBe(false);
    expect(places(result)).toEqual(['3:plate', '3:sharesOffice', '4:phone', '4:trade', '4:repairCentreId', '6:id']);
    expect(process.exitCode).toBe(1);
    expect(await service.gateway.dispatch.get('vehicle', 't-1')).toBeUndefined();
    expect(places(await importText('v.csv', 'id,plate,colour\n'))).toEqual(['1:colour']);
    expect(places(await importText('v.csv', 'id,plate\n"t-1,x\n'))).toEqual(['2:']);
    expect(places(await importText('c.csv', 'id,crew\nt-9,x\n'))).toEqual(['2:id']);
    const file = join(service.directory, 'c.csv');
    expect(await run('import', file)).toBe(`${file}:2: id: there is no vehicle t-9\nnothing was changed\n`);
  });
});

describe('rules', () => {
  it('from YAML with the line of every mistake; from CSV the table; and back', async () => {
    const yaml = `# who repairs what
rules:
  routing:
    - name: meters
      categories: [meter]
      unitKind: communityStation
    - name: all
      unitKind: cityStation
      repairCentreId: nowhere
  trades:
    meter: [metering, magic]
`;
    expect(places(await importText('r.yaml', yaml))).toEqual(['11:rules.trades.meter.1']);
    expect(places(await importText('r.yaml', yaml.replace(', magic', '')))).toEqual(['2:routing "all"']);
    const right = yaml.replace(', magic', '').replace('nowhere', 'centre-1');
    expect(await importText('r.yaml', right)).toMatchObject({ applied: true, rules: 'changed' });
    expect(await importText('r.yaml', right)).toMatchObject({ rules: 'unchanged' });
    expect(places(await importText('r.yaml', 'rules:\n  routing: [\n'))[0]).toMatch(/^[23]:/);

    const table = await run('export', 'rules', '--format', 'csv');
    expect(readCsv(table).map(({ cells }) => cells[0])).toEqual(['name', 'meters', 'all']);
    expect(await importText('r.csv', table)).toMatchObject({ rules: 'unchanged' });
    expect(places(await importText('r.csv', table.replace('communityStation', '')))).toEqual(['2:unitKind']);
    const rules = (await service.get('rules', 'rules')).value;
    expect(rules).toMatchObject({ trades: { meter: ['metering'] }, routing: [{ name: 'meters' }, { name: 'all' }] });
    expect(await importText('all.yaml', await run('export', 'rules'))).toMatchObject({ rules: 'unchanged' });
  });
});
