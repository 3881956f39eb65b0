/**
 * A document of the server for one panel, asked for again whenever `version` changes. While another path's document is
 * on its way the present one stays, so that a list does not flicker; `of` says which path's it is.
 */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/client.js';
import { problemWords } from './toast.js';

export interface Loaded<T> {
  value: T | undefined;
  of: string | undefined;
  problem: string | undefined;
  again(): void;
}

export function useLoad<T>(path: string | undefined, version: unknown = 0): Loaded<T> {
  const [{ value, of }, setFound] = useState<{ value?: T; of?: string }>({});
  const [problem, setProblem] = useState<string>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    get<T>(path, { signal: abort.signal }).then(
      (found) => {
        setFound({ value: found, of: path });
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(problemWords(error));
      },
    );
    return () => abort.abort();
  }, [path, version, round]);
  return { value, of, problem, again: () => setRound((n) => n + 1) };
}
