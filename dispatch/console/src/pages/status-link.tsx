/** The link with which the customer follows the order: made on request, shown once. */
import { useState } from 'preact/hooks';
import { post } from '../api/client.js';
import type { OrderJson } from '../api/types.js';
import { t } from '../i18n/index.js';
import { Dialog } from '../ui/dialog.js';
import { say, sayProblem } from '../ui/toast.js';

export function StatusLinkDialog({ order, onClose }: { order: OrderJson; onClose: () => void }) {
  const [url, setUrl] = useState<string>();
  const make = async (): Promise<void> => {
    try {
      setUrl((await post<{ url: string }>(`/orders/${encodeURIComponent(order.id)}/status-link`)).url);
    } catch (error) {
      sayProblem(error);
    }
  };
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(url!);
      say(t('link.copied'));
    } catch {
      // Without the right to the clipboard the text is marked, to be copied by key.
      document.querySelector<HTMLInputElement>('.status-link input')?.select();
    }
  };
  return (
    <Dialog title={`${t('step.status-link')} · ${order.number}`} onClose={onClose}>
      <div class="stack status-link">
        <p>{t('link.explain')}</p>
        {url === undefined ? (
          <footer class="row end">
            <button class="primary" autofocus onClick={() => void make()}>
              {t('link.make')}
            </button>
          </footer>
        ) : (
          <>
            <label class="field">
              <span>{t('link.url')}</span>
              <input readOnly value={url} onFocus={(event) => event.currentTarget.select()} />
            </label>
            <p class="muted small">{t('link.once')}</p>
            <footer class="row end">
              <a class="button" href={url} target="_blank" rel="noopener">
                {t('do.show')}
              </a>
              <button class="primary" onClick={() => void copy()}>
                {t('link.copy')}
              </button>
            </footer>
          </>
        )}
      </div>
    </Dialog>
  );
}
