// Reading from the API inside of components.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get } from "./api";

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload: () => void;
}

// What stands at `path`, read again every so many seconds while the page is seen. Old data stays until new is there.
export function useLoad<T>(path: string | null, every = 0): Loaded<T> {
  const [state, setState] = useState<{ path?: string | null; data?: T; error?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      if (!document.hidden) {
        try {
          const data = await get<T>(path, gone.signal);
          setState({ path, data });
        } catch (error) {
          if (gone.signal.aborted) return;
          setState((old) => ({ path, data: old.path === path ? old.data : undefined, error: asError(error) }));
        }
      }
      if (every > 0 && !gone.signal.aborted) timer = setTimeout(read, every * 1000);
    };
    void read();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [path, every, turn]);
  const reload = useCallback(() => setTurn((old) => old + 1), []);
  return { data: state.data, error: state.error, loading: path !== null && state.path !== path, reload };
}

export function asError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, "console", String(error));
}

// A value that follows after a moment of quiet: for fields that search while one types.
export function useQuiet<T>(value: T, after = 300): T {
  const [quiet, setQuiet] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(value), after);
    return () => clearTimeout(timer);
  }, [value, after]);
  return quiet;
}

// The newest value, for timers and listeners that live longer than one drawing.
export function useLatest<T>(value: T) {
  const box = useRef(value);
  box.current = value;
  return box;
}
