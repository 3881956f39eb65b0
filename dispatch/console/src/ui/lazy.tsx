/** A component that is loaded when it is first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, again] = useState(0);
    const [problem, setProblem] = useState<string>();
    useEffect(() => {
      if (found) return;
      load().then(
        (component) => {
          found = component;
          again((n) => n + 1);
        },
        (error: Error) => setProblem(error.message),
      );
    }, []);
    if (found) {
      const Found = found;
      return <Found {...props} />;
    }
    return (
      <div class="splash" role="status">
        {problem ? t('error.load') : t('app.loading')}
      </div>
    );
  };
}
