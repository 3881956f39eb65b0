/** Keeps a failing part of the page from taking the rest down. */
import { Component, type ComponentChildren } from 'preact';
import { t } from '../i18n/index.js';

interface Props {
  name: string;
  children: ComponentChildren;
  fallback?: (error: Error, retry: () => void) => ComponentChildren;
}

export class Boundary extends Component<Props, { error?: Error }> {
  override state: { error?: Error } = {};
  static override getDerivedStateFromError(error: Error) {
    return { error };
  }
  override componentDidCatch(error: Error): void {
    // The browser's own report, with the stack, beside the words on the page.
    reportError(error);
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const retry = (): void => this.setState({ error: undefined as never });
    if (this.props.fallback) return this.props.fallback(error, retry);
    return (
      <div class="broken" role="alert">
        <p>{t('error.part', { name: this.props.name })}</p>
        <p class="muted">{error.message}</p>
        <button onClick={retry}>{t('do.retry')}</button>
      </div>
    );
  }
}
