/** How deliveries went: whatever figures the report holds, a row for each kind. */
import { t, tValue } from '../../i18n/index.js';
import { countdown } from '../../format.js';
import { Empty } from '../../ui/pieces.js';
import { plainText } from '../../ui/form-data.js';

function cell(name: string, value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number' && name.endsWith('Ms')) return countdown(value);
  if (name === 'kind') return tValue('deliveryKind', plainText(value));
  return plainText(value);
}

export function DeliveryTable({ summary }: { summary: Record<string, unknown>[] }) {
  if (summary.length === 0) return <Empty text={t('reports.none')} />;
  const columns = Object.keys(summary[0]!).filter(
    (name) => typeof summary[0]![name] !== 'object' || summary[0]![name] === null,
  );
  return (
    <table class="data-table">
      <thead>
        <tr>
          {columns.map((name) => (
            <th key={name} scope="col" class={name === 'kind' ? '' : 'number'}>
              {tValue('column', name)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {summary.map((row, index) => (
          <tr key={index}>
            {columns.map((name) => (
              <td key={name} class={name === 'kind' ? '' : 'number'}>
                {cell(name, row[name])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
