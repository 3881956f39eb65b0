/** A document of the server for one panel, asked for again whenever `version` changes. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/client.js';
import { problemWords } from './toast.js';

export interface Loaded<T> {
  value: T | undefined;
  problem: string | undefined;
  again(): void;
}

export function useLoad<T>(path: string | undefined, version: unknown = 0): Loaded<T> {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState<string>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    get<T>(path, { signal: abort.signal }).then(
      (found) => {
        setValue(() => found);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(problemWords(error));
      },
    );
    return () => abort.abort();
  }, [path, version, round]);
  return { value, problem, again: () => setRound((n) => n + 1) };
}
