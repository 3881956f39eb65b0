/** When crews were missing: a square for every half-hour of the week, darker for more, with the number in it. */
import { t, tValue } from '../../i18n/index.js';
import { minutes } from '../../format.js';

export interface CapacityCell {
  weekday: number;
  halfHour: number;
  count: number;
  medianWaitMs: number | null;
}
const STEPS = 4;
const timeOf = (half: number): string => `${String(Math.floor(half / 2)).padStart(2, '0')}:${half % 2 ? '30' : '00'}`;

export function CapacityHeatMap({ cells }: { cells: CapacityCell[] }) {
  const byKey = new Map(cells.map((cell) => [`${cell.weekday}/${cell.halfHour}`, cell]));
  const most = Math.max(1, ...cells.map((cell) => cell.count));
  return (
    <>
      <div class="heat-holder" tabIndex={0} role="region" aria-label={t('reports.capacity')}>
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">{t('reports.weekday')}</span>
              </th>
              {Array.from({ length: 24 }, (_, hour) => (
                <th key={hour} scope="col" colSpan={2}>
                  {hour}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[1, 2, 3, 4, 5, 6, 7].map((weekday) => (
              <tr key={weekday}>
                <th scope="row">{tValue('weekday', String(weekday))}</th>
                {Array.from({ length: 48 }, (_, half) => {
                  const cell = byKey.get(`${weekday}/${half}`);
                  const step = cell ? Math.ceil((cell.count / most) * STEPS) : 0;
                  const wait = cell?.medianWaitMs === null || !cell ? '' : ` · ${minutes(cell.medianWaitMs)}`;
                  const words = cell
                    ? `${tValue('weekday', String(weekday))} ${timeOf(half)} · ${cell.count}${wait}`
                    : undefined;
                  return (
                    <td key={half} class={`heat-${step}`} title={words}>
                      {cell?.count}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">{cells.length === 0 ? t('reports.capacityNone') : t('reports.capacityNote')}</p>
    </>
  );
}
